import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { entryHash, LedgerEntry } from '#protocol/ledger-entry.ts';

/** What can still be read of a damaged copy. */
export interface Salvage {
  /** Entries that are what their own hash says: hash by number. */
  readonly seen: ReadonlyMap<number, string>;
  /** Entries that are not. */
  readonly broken: number;
  /** The journal of effects as it was kept, key by key. */
  readonly effects: readonly (readonly [key: string, effect: string])[];
  readonly claims: readonly (readonly [taskId: string, epoch: number])[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Whether the journal could be read to its end. */
  readonly journalWhole: boolean;
}

/** Reads what a damaged `ledger.db` still gives, table by table and row by row; never throws for damage. */
export function salvage(file: string): Salvage {
  const seen = new Map<number, string>();
  const effects: (readonly [string, string])[] = [];
  const claims: (readonly [string, number])[] = [];
  const facts: (readonly [string, string])[] = [];
  let journalWhole = false;
  let broken = 0;
  if (!existsSync(file)) return { seen, broken, effects, claims, facts, journalWhole };
  const db = new DatabaseSync(file);
  try {
    journalWhole = eachRow(db, 'SELECT key, effect FROM effects', ({ key, effect }) => {
      if (isJson(effect)) effects.push([String(key), String(effect)]);
    });
    eachRow(db, 'SELECT taskId, epoch FROM claims', ({ taskId, epoch }) =>
      claims.push([String(taskId), Number(epoch)]),
    );
    eachRow(db, 'SELECT name, value FROM facts', ({ name, value }) =>
      facts.push([String(name), String(value)]),
    );
    eachRow(db, 'SELECT n, hash, entry FROM entries', ({ n, hash, entry }) => {
      const parsed = isJson(entry) ? LedgerEntry.safeParse(JSON.parse(String(entry))) : undefined;
      // A row that does not agree with itself is the damage, and says nothing of the ledger.
      if (parsed?.success && parsed.data.n === n && entryHash(parsed.data) === hash) {
        seen.set(parsed.data.n, String(hash));
      } else broken += 1;
    });
  } finally {
    db.close();
  }
  return { seen, broken, effects, claims, facts, journalWhole };
}

/**
 * What is wrong with the file of a copy, as SQLite sees it, or `undefined`. A file that is not there is not
 * damaged: it is made anew.
 */
export function damageOf(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    const [first] = db.prepare('PRAGMA quick_check(1)').all();
    const said = String(Object.values(first ?? {})[0] ?? 'no answer');
    return said === 'ok' ? undefined : said;
  } catch (error) {
    return (error as Error).message;
  } finally {
    db?.close();
  }
}

function eachRow(
  db: DatabaseSync,
  query: string,
  take: (row: Readonly<Record<string, unknown>>) => void,
): boolean {
  try {
    for (const row of db.prepare(query).iterate()) take(row);
    return true;
  } catch {
    return false;
  }
}

function isJson(text: unknown): boolean {
  try {
    JSON.parse(String(text));
    return true;
  } catch {
    return false;
  }
}
