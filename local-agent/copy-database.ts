import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { EmployeeError } from '#protocol/errors.ts';

/** The file was written by a newer version of this program. */
export class NewerCopyError extends EmployeeError {
  static override readonly code = 'NEWER_COPY';
}

/** A transaction was given work that waits: whatever comes after the wait would be outside of it. */
export class WaitingTransactionError extends EmployeeError {
  static override readonly code = 'WAITING_TRANSACTION';
}

/**
 * Each step brings a file from its index to the next version (`PRAGMA user_version`). A file of the first
 * release says 0 and may hold the tables of step 0 already. Steps that have been released never change.
 */
const STEPS: readonly string[] = [
  `
CREATE TABLE IF NOT EXISTS entries (n INTEGER PRIMARY KEY, hash TEXT NOT NULL, entry TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS agreed (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS notes (taskId TEXT PRIMARY KEY, path TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, effect TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS claims (taskId TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`,
  // What was agreed on is kept: without it, an edit here could not be told from one elsewhere. Its entry is
  // not known then (0), so that a merge has no base and both versions are kept. Stats are only a shortcut.
  `
ALTER TABLE agreed ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE agreed ADD COLUMN n INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notes ADD COLUMN n INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notes ADD COLUMN fileId TEXT NOT NULL DEFAULT '';
DROP TABLE IF EXISTS stats;
CREATE TABLE stats (path TEXT PRIMARY KEY, sizeBytes INTEGER NOT NULL, modifiedMs REAL NOT NULL,
  changedMs REAL NOT NULL, fileId TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL, hash TEXT NOT NULL,
  format TEXT NOT NULL, state BLOB NOT NULL) STRICT;
CREATE TABLE proved (name TEXT PRIMARY KEY) STRICT;
`,
  // A file that was renamed and edited is known again by it.
  `ALTER TABLE agreed ADD COLUMN fileId TEXT NOT NULL DEFAULT '';`,
];

/** The SQLite file of a machine: its schema, prepared statements and transactions. */
export class CopyDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;
  #rollbacks = 0;
  #foreign = 0;

  /**
   * Opens or makes the file, and brings an older one up to date.
   *
   * @throws {NewerCopyError}
   */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
    try {
      this.#upgrade();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** A prepared statement, made once. */
  sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known) return known;
    const made = this.#db.prepare(text);
    this.#statements.set(text, made);
    return made;
  }

  /**
   * Runs `work` as one transaction: all of its writes are durable when this returns, or none happened.
   * Inside of another one it is a part of that: if it throws, only its own writes are undone.
   *
   * @throws what `work` throws. {WaitingTransactionError} when `work` is asynchronous.
   */
  together<T>(work: () => T): T {
    const name = `level${this.#depth}`;
    this.#db.exec(this.#depth === 0 ? 'BEGIN IMMEDIATE' : `SAVEPOINT ${name}`);
    if (this.#depth === 0) this.#foreign = this.#dataVersion();
    this.#depth += 1;
    try {
      const result = work();
      if (result instanceof Promise) throw new WaitingTransactionError('a transaction cannot wait');
      this.#db.exec(this.#depth === 1 ? 'COMMIT' : `RELEASE ${name}`);
      return result;
    } catch (error) {
      this.#rollbacks += 1;
      this.#undo(name);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Another answer than before means: what was read from this file earlier may not be so any more. */
  generation(): string {
    // Within a transaction nobody else can write.
    if (this.#depth === 0) this.#foreign = this.#dataVersion();
    return `${this.#foreign}.${this.#rollbacks}`;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** SQLite ends a transaction by itself after some errors, such as a full disk. */
  #undo(name: string): void {
    if (!this.#db.isTransaction) return;
    this.#db.exec(this.#depth === 1 ? 'ROLLBACK' : `ROLLBACK TO ${name}; RELEASE ${name}`);
  }

  #dataVersion(): number {
    return Number(this.sql('PRAGMA data_version').get()?.['data_version']);
  }

  #upgrade(): void {
    if (this.#version() === STEPS.length) return;
    this.together(() => {
      // Asked again: another process may have been quicker.
      const version = this.#version();
      if (version > STEPS.length) {
        throw new NewerCopyError(
          `ledger.db is of version ${version}, and this program knows ${STEPS.length}; use the newer program`,
        );
      }
      for (const step of STEPS.slice(version)) this.#db.exec(step);
      this.#db.exec(`PRAGMA user_version = ${STEPS.length}`);
    });
  }

  #version(): number {
    return Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version']);
  }
}
