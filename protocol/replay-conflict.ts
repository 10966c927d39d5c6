import type { LedgerBody } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { broughtBy, namesOf, setFile } from './replay-files.ts';
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
  const clash = namesOf(state.files).clash(copy);
  if (clash) return late('stale-base', `${copy} is not free: there is ${clash.with}`);
  setFile(state.files, copy, { id: `${entry.n}.0`, ...broughtBy(entry, content) });
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

/**
 * Settles what a person decided: a conflict is closed and its copy goes, unless both versions stay or
 * somebody has worked on the copy; refused entries are acknowledged.
 */
export function applyOverride(state: VaultState, { what }: BodyOf<'override'>): Verdict {
  if (what.of === 'conflict') {
    const { copy, choice } = what;
    const conflict = state.conflicts.get(copy);
    if (!conflict) return late('duplicate', `the conflict ${copy} was settled before`);
    state.conflicts.delete(copy);
    const untouched = state.files.get(copy)?.content.sha256 === conflict.ours;
    if (choice !== 'both' && untouched) setFile(state.files, copy, undefined);
  }
  if (what.of === 'incident') {
    // Only what has been refused can have been looked at: nothing is excused beforehand.
    const refused = new Set(state.refusals.map(({ n }) => n));
    for (const n of what.entries) if (refused.has(n)) state.acknowledged.add(n);
  }
  return undefined;
}
