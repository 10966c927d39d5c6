import { archivedObject } from '#protocol/archive.ts';
import type { LedgerChange } from '#protocol/archive.ts';
import type { Archive } from '#protocol/ports.ts';

/** How a change ended. `rewritten`: kept as well, and nobody honest makes such a change. `failed` comes back. */
export interface ArchiveOutcome {
  readonly sequence: string;
  readonly n: number;
  readonly status: 'kept' | 'rewritten' | 'failed';
  readonly error?: unknown;
}

const PUTS_AT_ONCE = 10;

/**
 * Copies what happened to the ledger's table into the archive, where nobody can take it back: each entry as it was
 * written, and each change of an entry that stood already. Safe to run again; one that fails is its own.
 */
export async function archiveBatch(
  changes: readonly LedgerChange[],
  { archive }: { readonly archive: Archive },
): Promise<readonly ArchiveOutcome[]> {
  const outcomes = new Map<string, ArchiveOutcome>();
  const keep = async (change: LedgerChange): Promise<void> => {
    const { sequence, n } = change;
    try {
      await archive.put(archivedObject(change));
      outcomes.set(sequence, { sequence, n, status: change.change === 'insert' ? 'kept' : 'rewritten' });
    } catch (error) {
      outcomes.set(sequence, { sequence, n, status: 'failed', error });
    }
  };
  for (let from = 0; from < changes.length; from += PUTS_AT_ONCE) {
    await Promise.all(changes.slice(from, from + PUTS_AT_ONCE).map(keep));
  }
  return changes.flatMap(({ sequence }) => outcomes.get(sequence) ?? []);
}
