import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import type { Keyring } from '#protocol/seal.ts';
import { OWN_KEYRING } from './keys.ts';

/** All rows of all tables. */
export type CopyImage = ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>;

let count = 0;

/**
 * The file `ledger.db` of a machine, in memory. It outlives the processes that open it, and can be put back to an
 * earlier state, as a backup would.
 */
export class CopyDisk {
  #uri = newUri();
  /** Keeps the file in being; opens no entry. */
  #anchor = new LedgerCopy(this.#uri, OWN_KEYRING);

  /** A connection of its own, as each process has, with the keys that this process holds. */
  open(keyring: Keyring): LedgerCopy {
    return new LedgerCopy(this.#uri, keyring);
  }

  /** To look at from outside. */
  get copy(): LedgerCopy {
    return this.#anchor;
  }

  image(): CopyImage {
    return this.#with((db) => {
      const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all();
      return new Map(
        tables.map(({ name }) => [String(name), db.prepare(`SELECT * FROM ${String(name)}`).all()]),
      );
    });
  }

  /** Puts another file in its place. No process may have it open. */
  restore(image: CopyImage): void {
    this.#anchor.close();
    this.#uri = newUri();
    this.#anchor = new LedgerCopy(this.#uri, OWN_KEYRING);
    this.#with((db) => {
      for (const [table, rows] of image) {
        for (const row of rows) {
          const names = Object.keys(row);
          const put = `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`;
          db.prepare(put).run(...(Object.values(row) as SQLInputValue[]));
        }
      }
    });
  }

  close(): void {
    this.#anchor.close();
  }

  #with<T>(work: (db: DatabaseSync) => T): T {
    const db = new DatabaseSync(this.#uri);
    try {
      return work(db);
    } finally {
      db.close();
    }
  }
}

function newUri(): string {
  return `file:simulated-${process.pid}-${++count}?mode=memory&cache=shared`;
}
