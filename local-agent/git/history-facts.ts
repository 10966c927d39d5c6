import { z } from 'zod';
import { Zone } from '#protocol/task.ts';
import type { LedgerCopy } from '../ledger-copy.ts';

const Facts = {
  /** All changes up to entry `n` are committed; `tip` was the branch's tip then. */
  mark: z.object({ n: z.int().nonnegative(), tip: z.string() }),
  /** What the last try to commit came to. */
  state: z.object({ state: z.enum(['off', 'waiting', 'ready']), why: z.string().optional() }),
  /** Paths at which the vault was not in step with the ledger when the rest was committed. */
  pending: z.array(z.object({ path: z.string(), zone: Zone, taskId: z.string().optional() })),
  leftOut: z.array(z.object({ path: z.string(), why: z.string() })),
  push: z.object({
    /** The remote and branch that this is about. */
    to: z.string(),
    lastPushAt: z.string().optional(),
    /** The commit that the remote has. */
    pushed: z.string().optional(),
    error: z.string().optional(),
    failures: z.int().nonnegative(),
    nextTryAt: z.string(),
  }),
} as const;

type Name = keyof typeof Facts;

/** A fact about the history that this machine remembers; never the arbiter of anything. */
export type HistoryFact<N extends Name> = z.infer<(typeof Facts)[N]>;

/** Reads a fact; one that is missing or damaged was never known. */
export function readFact<N extends Name>(copy: LedgerCopy, name: N): HistoryFact<N> | undefined {
  const text = copy.fact(`git.${name}`);
  if (text === undefined) return undefined;
  try {
    const schema: z.ZodType = Facts[name];
    return schema.parse(JSON.parse(text)) as HistoryFact<N>;
  } catch {
    return undefined;
  }
}

/** Writes a fact, if it is news. */
export function writeFact<N extends Name>(copy: LedgerCopy, name: N, value: HistoryFact<N>): void {
  const text = JSON.stringify(value);
  if (copy.fact(`git.${name}`) !== text) copy.setFact(`git.${name}`, text);
}
