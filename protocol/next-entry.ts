import { LedgerIntegrityError } from './errors.ts';
import { checkPlace, entryFacts, entryHash, LedgerEntry } from './ledger-entry.ts';
import type { EntryFacts, LedgerHead } from './ledger-entry.ts';

/** An entry at its place, whose signature and body are still to be checked. */
export interface PlacedEntry {
  readonly entry: LedgerEntry;
  readonly facts: EntryFacts;
}

/**
 * Parses what is stored and checks that it is the entry after this head, of this vault.
 *
 * @throws {LedgerIntegrityError} when it is not.
 */
export function nextEntry(stored: unknown, head: LedgerHead, vaultId: string): PlacedEntry {
  const expected = head.n + 1;
  const parsed = LedgerEntry.safeParse(stored);
  if (!parsed.success) throw new LedgerIntegrityError(expected, 'does not have the form of an entry');
  const entry = parsed.data;
  if (entry.vaultId !== vaultId) throw new LedgerIntegrityError(expected, 'is of another vault');
  if (entry.n === 1 && entry.kind !== 'keys') throw new LedgerIntegrityError(1, 'is not the entry of keys');
  checkPlace(head, entry);
  return { entry, facts: entryFacts(entry) };
}

/** Whether what is stored is this entry. */
export function isEntry({ n, hash }: LedgerHead, stored: unknown): boolean {
  const parsed = LedgerEntry.safeParse(stored);
  return parsed.success && parsed.data.n === n && entryHash(parsed.data) === hash;
}

/** @throws {LedgerIntegrityError} when what is stored is not the entry that was seen there before. */
export function requireSame(seen: LedgerHead, stored: unknown): void {
  if (isEntry(seen, stored)) return;
  if (stored === undefined) throw entryGone(seen.n);
  throw new LedgerIntegrityError(
    seen.n,
    'is not the one that was seen before: the ledger was rewritten, cut or restored',
  );
}

/** The error of an entry that is not there any more. */
export function entryGone(n: number): LedgerIntegrityError {
  return new LedgerIntegrityError(
    n,
    'is gone, and was seen before: the ledger was rewritten, cut or restored',
  );
}
