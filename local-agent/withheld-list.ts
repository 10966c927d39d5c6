import { z } from 'zod';
import type { LedgerCopy } from './ledger-copy.ts';
import { visibleLine } from './visible.ts';

/** A path of the vault that stays on this machine, and why. */
export interface WithheldPath {
  readonly path: string;
  readonly why: string;
}

const FACT = 'withheld';
const Fact = z.array(z.object({ path: z.string(), why: z.string() })).catch([]);
const MAX_LINES = 20;

/** What the last sync left on this machine. */
export function lastWithheld(copy: Pick<LedgerCopy, 'fact'>): WithheldPath[] {
  try {
    return Fact.parse(JSON.parse(copy.fact(FACT) ?? '[]'));
  } catch {
    return [];
  }
}

/**
 * Notes what a sync leaves on this machine.
 *
 * @returns what was not left out by the one before, or for another reason: it is told once, not each time.
 */
export function noteWithheld(
  copy: Pick<LedgerCopy, 'fact' | 'setFact'>,
  withheld: readonly WithheldPath[],
): WithheldPath[] {
  const before = new Map(lastWithheld(copy).map(({ path, why }) => [path, why]));
  const fresh = withheld.filter(({ path, why }) => before.get(path) !== why);
  if (fresh.length > 0 || before.size !== withheld.length) copy.setFact(FACT, JSON.stringify(withheld));
  return fresh;
}

/** How many there are, in words. */
export function withheldCount({ length }: readonly WithheldPath[]): string {
  return length === 1
    ? '1 file stays on this machine, in no backup'
    : `${length} files stay on this machine, in no backup`;
}

/**
 * The list for a person: a heading for each reason with the paths below it, and no more paths than fit on
 * a screen.
 */
export function withheldLines(withheld: readonly WithheldPath[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { path, why } of withheld) byReason.set(why, [...(byReason.get(why) ?? []), path]);
  const lines: string[] = [];
  let shown = 0;
  for (const [why, paths] of [...byReason].sort(([, a], [, b]) => b.length - a.length)) {
    if (shown >= MAX_LINES) break;
    lines.push(`${visibleLine(why, 200)}:`);
    for (const path of paths.slice(0, MAX_LINES - shown)) lines.push(`  ${visibleLine(path, 200)}`);
    shown += Math.min(paths.length, MAX_LINES - shown);
  }
  if (shown < withheld.length) lines.push(`… and ${withheld.length - shown} more; --json lists all`);
  return lines;
}
