import type { LedgerBody } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { incident, late } from './replay-rules.ts';
import type { Verdict } from './replay-rules.ts';
import { ringOf } from './vault-path.ts';
import type { VaultState } from './vault-state.ts';

type BodyOf<K extends LedgerBody['kind']> = Extract<LedgerBody, { kind: K }>;

/** Puts the copy of a conflict into the vault and remembers that a person has to choose. Once a copy. */
export function applyConflict(state: VaultState, entry: LedgerEntry, body: BodyOf<'conflict'>): Verdict {
  const { path, copy, content, theirs } = body;
  if (!copy.startsWith('Conflicts/')) return incident('zone', `kept a conflict at ${copy}`);
  if (ringOf(copy) !== entry.ring) return incident('zone', `${copy} was sealed with the ${entry.ring} key`);
  if (state.files.has(copy)) return late('duplicate', `${copy} is kept already`);
  state.files.set(copy, { id: `${entry.n}.0`, content, ring: entry.ring, n: entry.n });
  state.conflicts.set(copy, {
    path,
    copy,
    writer: entry.writer,
    ours: content.sha256,
    n: entry.n,
    at: entry.at,
    ...(theirs === undefined ? {} : { theirs }),
  });
  return undefined;
}

/** Settles what a person decided: a conflict is closed, refused entries are acknowledged. */
export function applyOverride(state: VaultState, { what }: BodyOf<'override'>): Verdict {
  if (what.of === 'conflict' && !state.conflicts.delete(what.copy)) {
    return late('duplicate', `the conflict ${what.copy} was settled before`);
  }
  if (what.of === 'incident') for (const n of what.entries) state.acknowledged.add(n);
  return undefined;
}
