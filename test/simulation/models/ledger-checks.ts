import { entryHash } from '#protocol/ledger-entry.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { WriterSeen } from './ledger-writer.ts';

type Rows = readonly LedgerEntry[];

interface Judged {
  readonly rows: Rows;
  readonly writers: readonly { readonly seen: WriterSeen }[];
}

/** The rules of the ledger as far as one step can break them. */
export function rewritten({ rows }: Pick<Judged, 'rows'>, to: Pick<Judged, 'rows'>): string | undefined {
  if (rows === to.rows) return undefined;
  const gone = rows.find((row) => !to.rows.includes(row));
  return gone && `entry ${gone.n} (${gone.attempt}) was rewritten`;
}

/** What is wrong with the table, or with what a writer believes of it. */
export function wrongWith({ rows, writers }: Judged): string | undefined {
  const said = new Set<string>();
  for (const [index, entry] of rows.entries()) {
    if (entry.n !== index + 1) return `entry ${index + 1} is missing, and ${entry.n} stands`;
    const before = rows[index - 1];
    if (before && entry.prev !== hashOf(before)) return `entry ${entry.n} does not follow the one before`;
    if (entry.taskId === undefined) continue;
    if (said.has(entry.taskId)) return `what ${entry.writer} wanted to say once stands twice`;
    said.add(entry.taskId);
  }
  for (const { seen } of writers) {
    const wrong = wrongBelief(seen, rows);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** Whether a writer knows what is true. `unknown` is always true: the store's replies got lost, and it tries again. */
function wrongBelief({ head, beliefs, start, broken }: WriterSeen, rows: Rows): string | undefined {
  if (broken !== undefined) return `a reader refuses the ledger: ${broken}`;
  const last = rows[head.n - 1];
  if (head.n > 0 && (!last || hashOf(last) !== head.hash))
    return 'a reader holds what is no prefix of the ledger';
  for (const { wish, attempt, believes, n = 0 } of beliefs) {
    const own = rows.find((row) => row.attempt === attempt);
    if (believes === 'it stands' && own?.n !== n) return `${attempt} is believed to stand, and does not`;
    if (believes !== 'it stood before') continue;
    if (own) return `${attempt} stands, and its author believes that it was not needed`;
    if (!rows.some(({ taskId }) => taskId === wish)) return `a wish is believed to stand, and does not`;
    const isExplained =
      start > 1 || beliefs.some((known) => known.wish === wish && known.believes === 'unknown');
    if (!isExplained) return 'a wish stood before its author ever lost a reply';
  }
  return undefined;
}

const hashes = new WeakMap<LedgerEntry, string>();

function hashOf(entry: LedgerEntry): string {
  const hash = hashes.get(entry) ?? entryHash(entry);
  hashes.set(entry, hash);
  return hash;
}
