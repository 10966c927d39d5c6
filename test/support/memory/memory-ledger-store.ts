import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { LedgerStore } from '#protocol/ports.ts';

/** A ledger store in memory. */
export interface MemoryLedgerStore extends LedgerStore {
  /** What stands in the table, in the order of numbers; a test may tamper with it. */
  readonly rows: { vaultId: string; n: number; entry: unknown }[];
}

/**
 * Makes an empty ledger store.
 *
 * @param pageSize entries a page. @default 100
 */
export function createMemoryLedgerStore(pageSize = 100): MemoryLedgerStore {
  const rows: MemoryLedgerStore['rows'] = [];
  return {
    rows,
    append: async (entry: LedgerEntry) => {
      if (rows.some((row) => row.vaultId === entry.vaultId && row.n === entry.n)) return 'taken';
      rows.push({ vaultId: entry.vaultId, n: entry.n, entry: structuredClone(entry) });
      rows.sort((a, b) => a.n - b.n);
      return 'appended';
    },
    read: async (vaultId, after, known = []) => {
      const found = rows.filter((row) => row.vaultId === vaultId && row.n > after);
      const page = found.slice(0, pageSize).map((row) => structuredClone(row.entry));
      const entries = page.filter((entry) => !known.some(({ sig }) => (entry as LedgerEntry).sig === sig));
      return { entries, more: found.length > pageSize, leftOut: page.length - entries.length };
    },
  };
}
