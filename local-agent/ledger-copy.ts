import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import type { VerifiedEntry } from '#protocol/ledger-session.ts';
import { entryHash, LedgerEntry } from '#protocol/ledger-entry.ts';
import type { ToolOutcome } from './tool-host.ts';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS entries (n INTEGER PRIMARY KEY, hash TEXT NOT NULL, entry TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS agreed (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS notes (taskId TEXT PRIMARY KEY, path TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS stats (path TEXT PRIMARY KEY, sizeBytes INTEGER NOT NULL, modifiedMs REAL NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, effect TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS claims (taskId TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** The size, time and hash of a file at the last scan: unchanged size and time spare reading it. */
export interface KnownStat {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly sha256: string;
}

/**
 * How far an effect has come on this machine: its intent is about to be appended, its tool is about to
 * be called, or the tool has answered.
 */
export type JournaledEffect =
  | { readonly stage: 'prepared' }
  | { readonly stage: 'called' }
  | { readonly stage: 'answered'; readonly outcome: ToolOutcome };

/**
 * What this machine keeps for itself, in one SQLite file: the full verified copy of the ledger, the
 * hashes on which vault and ledger last agreed, and a journal of effects whose result is not in the
 * ledger yet. Each write is durable when the call returns.
 */
export class LedgerCopy {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens or makes the file. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
    this.#db.exec(SCHEMA);
  }

  /** All entries as they were admitted, in order. */
  *entries(after = 0): Generator<LedgerEntry> {
    for (const row of this.#sql('SELECT entry FROM entries WHERE n > ? ORDER BY n').iterate(after)) {
      yield LedgerEntry.parse(JSON.parse(String(row['entry'])));
    }
  }

  /** The hash of entry `n` as this machine saw it. */
  hashOf(n: number): string | undefined {
    const row = this.#sql('SELECT hash FROM entries WHERE n = ?').get(n);
    return row ? String(row['hash']) : undefined;
  }

  /** The number of the last entry of the copy, 0 when empty. */
  last(): number {
    return Number(this.#sql('SELECT coalesce(max(n), 0) AS n FROM entries').get()?.['n'] ?? 0);
  }

  /** Keeps a checked entry. The same one again is harmless, another one under its number is not. */
  keep({ entry }: VerifiedEntry): void {
    const hash = entryHash(entry);
    const known = this.hashOf(entry.n);
    if (known === hash) return;
    if (known !== undefined) throw new LedgerIntegrityError(entry.n, 'differs from the copy on this machine');
    this.#sql('INSERT INTO entries (n, hash, entry) VALUES (?, ?, ?)').run(
      entry.n,
      hash,
      JSON.stringify(entry),
    );
  }

  /** The files that are no task's note, with the hash on which vault and ledger last agreed. */
  allAgreed(): Map<string, string> {
    const rows = this.#sql('SELECT path, sha256 FROM agreed').all();
    return new Map(rows.map((row) => [String(row['path']), String(row['sha256'])]));
  }

  setAgreed(path: string, sha256: string | undefined): void {
    if (sha256 === undefined) this.#sql('DELETE FROM agreed WHERE path = ?').run(path);
    else this.#sql('INSERT OR REPLACE INTO agreed (path, sha256) VALUES (?, ?)').run(path, sha256);
  }

  /** Where this machine last put the note of a task, and with which bytes. */
  noteAt(taskId: string): { readonly path: string; readonly sha256: string } | undefined {
    const row = this.#sql('SELECT path, sha256 FROM notes WHERE taskId = ?').get(taskId);
    return row ? { path: String(row['path']), sha256: String(row['sha256']) } : undefined;
  }

  setNoteAt(taskId: string, path: string, sha256: string): void {
    this.#sql('INSERT OR REPLACE INTO notes (taskId, path, sha256) VALUES (?, ?, ?)').run(
      taskId,
      path,
      sha256,
    );
  }

  allStats(): Map<string, KnownStat> {
    const rows = this.#sql('SELECT path, sizeBytes, modifiedMs, sha256 FROM stats').all();
    return new Map(
      rows.map((row) => [
        String(row['path']),
        {
          sizeBytes: Number(row['sizeBytes']),
          modifiedMs: Number(row['modifiedMs']),
          sha256: String(row['sha256']),
        },
      ]),
    );
  }

  setStats(stats: ReadonlyMap<string, KnownStat | undefined>): void {
    this.#together(() => {
      for (const [path, stat] of stats) {
        if (!stat) this.#sql('DELETE FROM stats WHERE path = ?').run(path);
        else {
          const put =
            'INSERT OR REPLACE INTO stats (path, sizeBytes, modifiedMs, sha256) VALUES (?, ?, ?, ?)';
          this.#sql(put).run(path, stat.sizeBytes, stat.modifiedMs, stat.sha256);
        }
      }
    });
  }

  /** How far an effect has come; durable before the step it announces. */
  journal(idempotencyKey: string, effect: JournaledEffect): void {
    const put = 'INSERT OR REPLACE INTO effects (key, effect) VALUES (?, ?)';
    this.#sql(put).run(idempotencyKey, JSON.stringify(effect));
  }

  journaled(idempotencyKey: string): JournaledEffect | undefined {
    const row = this.#sql('SELECT effect FROM effects WHERE key = ?').get(idempotencyKey);
    return row ? (JSON.parse(String(row['effect'])) as JournaledEffect) : undefined;
  }

  /** The keys of all effects whose tool was called, or was about to be. */
  calledEffects(): string[] {
    const rows = this.#sql('SELECT key, effect FROM effects ORDER BY key').all();
    return rows
      .filter((row) => (JSON.parse(String(row['effect'])) as JournaledEffect).stage !== 'prepared')
      .map((row) => String(row['key']));
  }

  /** Claims this machine has taken and not yet put down in the task store. */
  openClaims(): { taskId: string; epoch: number }[] {
    const rows = this.#sql('SELECT taskId, epoch FROM claims ORDER BY taskId').all();
    return rows.map((row) => ({ taskId: String(row['taskId']), epoch: Number(row['epoch']) }));
  }

  noteClaim(taskId: string, epoch: number | undefined): void {
    if (epoch === undefined) this.#sql('DELETE FROM claims WHERE taskId = ?').run(taskId);
    else this.#sql('INSERT OR REPLACE INTO claims (taskId, epoch) VALUES (?, ?)').run(taskId, epoch);
  }

  /** A small fact to show later, such as when the last sync ended. */
  fact(name: string): string | undefined {
    const row = this.#sql('SELECT value FROM facts WHERE name = ?').get(name);
    return row ? String(row['value']) : undefined;
  }

  setFact(name: string, value: string): void {
    this.#sql('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)').run(name, value);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #together(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known) return known;
    const made = this.#db.prepare(text);
    this.#statements.set(text, made);
    return made;
  }
}
