import type { ContentRef } from '#protocol/content.ts';
import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';
import { contentsOf, relocated } from '#protocol/ledger-contents.ts';
import { entryHash, LedgerEntry, openBody } from '#protocol/ledger-entry.ts';
import type { LedgerHead } from '#protocol/ledger-entry.ts';
import type { VerifiedEntry } from '#protocol/ledger-session.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import type { Keyring } from '#protocol/seal.ts';
import type { CachedTable } from './cached-table.ts';
import { CopyDatabase } from './copy-database.ts';
import { agreedTable, notesTable, statsTable } from './copy-tables.ts';
import type { AgreedFile, KnownStat, PlacedNote } from './copy-tables.ts';
import type { ToolOutcome } from './tool-host.ts';

/**
 * How far an effect has come on this machine: its intent is about to be appended, its tool is about to
 * be called, or the tool has answered.
 */
export type JournaledEffect =
  | { readonly stage: 'prepared' }
  | { readonly stage: 'called' }
  | { readonly stage: 'answered'; readonly outcome: ToolOutcome };

/** An entry to keep would leave a hole in the copy. */
export class CopyGapError extends EmployeeError {
  static override readonly code = 'COPY_GAP';
}

const UNREAD = 'unread';

/** So many opened entries are remembered: the contents of one entry are mostly asked for one after another. */
const OPENED_ENTRIES = 4;

/**
 * What this machine keeps for itself, in one SQLite file: the verified copy of the ledger, what vault and
 * ledger last agreed on, and a journal of effects whose result is not in the ledger yet. Each write is
 * durable when the call returns; inside of `together`, when that returns.
 */
export class LedgerCopy {
  readonly #db: CopyDatabase;
  readonly #keyring: Keyring;
  readonly #agreed: CachedTable<AgreedFile>;
  readonly #notes: CachedTable<PlacedNote>;
  readonly #stats: CachedTable<KnownStat>;
  readonly #opened = new Map<number, ReadonlyMap<string, ContentRef>>();
  #resealed: VaultState['resealed'] = new Map();

  /**
   * Opens or makes the file, and brings an older one up to date.
   *
   * @param keyring opens the entries of the copy for `contentAt`.
   * @throws {NewerCopyError} when a newer program wrote it.
   */
  constructor(file: string, keyring: Keyring) {
    this.#db = new CopyDatabase(file);
    this.#keyring = keyring;
    this.#agreed = agreedTable(this.#db);
    this.#notes = notesTable(this.#db);
    this.#stats = statsTable(this.#db);
  }

  /**
   * Runs `work` as one transaction: all of its writes are durable when this returns, or none happened.
   * Inside of another one it is a part of that. `work` must not wait for anything.
   */
  together<T>(work: () => T): T {
    return this.#db.together(work);
  }

  /** All entries as they were admitted, in order. */
  *entries(after = 0): Generator<LedgerEntry> {
    for (const row of this.#db.sql('SELECT entry FROM entries WHERE n > ? ORDER BY n').iterate(after)) {
      yield LedgerEntry.parse(JSON.parse(String(row['entry'])));
    }
  }

  /** Entry `n` as it was admitted. */
  entryAt(n: number): LedgerEntry | undefined {
    const row = this.#db.sql('SELECT entry FROM entries WHERE n = ?').get(n);
    return row ? LedgerEntry.parse(JSON.parse(String(row['entry']))) : undefined;
  }

  /** The hash of entry `n` as this machine saw it. */
  hashOf(n: number): string | undefined {
    const row = this.#db.sql('SELECT hash FROM entries WHERE n = ?').get(n);
    return row ? String(row['hash']) : undefined;
  }

  /**
   * Whether this machine saw this very entry, and still has it word for word. `other`: it saw another one
   * under that number; `damaged`: what it kept is not what it saw.
   */
  holds(entry: LedgerEntry): 'same' | 'none' | 'other' | 'damaged' {
    const row = this.#db.sql('SELECT hash, entry FROM entries WHERE n = ?').get(entry.n);
    if (!row) return 'none';
    if (row['hash'] !== entryHash(entry)) return 'other';
    return row['entry'] === JSON.stringify(entry) ? 'same' : 'damaged';
  }

  /** The number of the last entry of the copy, 0 when empty. */
  last(): number {
    return Number(this.#db.sql('SELECT coalesce(max(n), 0) AS n FROM entries').get()?.['n'] ?? 0);
  }

  /**
   * Keeps checked entries, all or none. The same one again is harmless.
   *
   * @throws {LedgerIntegrityError} when another one stands under its number. {CopyGapError}
   */
  keep(verified: readonly (Pick<VerifiedEntry, 'entry'> & Partial<VerifiedEntry>)[]): void {
    this.together(() => {
      let last = this.last();
      for (const { entry, hash = entryHash(entry) } of verified) {
        const known = entry.n > last ? undefined : this.hashOf(entry.n);
        if (known === hash) continue;
        if (known !== undefined) {
          throw new LedgerIntegrityError(entry.n, 'differs from the copy on this machine');
        }
        const follows = entry.n === this.begins() || this.hashOf(entry.n - 1) !== undefined;
        if (entry.n !== 1 && !follows) {
          throw new CopyGapError(
            `the copy on this machine ends at entry ${last}; entry ${entry.n} does not follow. Try again`,
          );
        }
        const put = 'INSERT INTO entries (n, hash, entry) VALUES (?, ?, ?)';
        this.#db.sql(put).run(entry.n, hash, JSON.stringify(entry));
        last = Math.max(last, entry.n);
      }
    });
  }

  /**
   * The first entry from which on the copy has all: more than 1 where this machine began with a checkpoint,
   * and has not fetched yet what was before.
   */
  begins(): number {
    return Number(this.fact('begins') ?? 1);
  }

  /** How many entries from the first one on are there without a hole. */
  wholeTo(): number {
    const begins = this.begins();
    if (begins === 1) return this.last();
    return Number(this.#db.sql('SELECT count(*) AS n FROM entries WHERE n < ?').get(begins)?.['n'] ?? 0);
  }

  /** Lets the copy of a machine that has no entry yet begin behind a checkpoint; or, with 1, be whole. */
  setBegins(n: number): void {
    this.setFact('begins', String(n));
  }

  /** The entry behind which this machine has appended without having read the ledger since. */
  unread(): LedgerHead | undefined {
    const [n = '', hash = ''] = this.fact(UNREAD)?.split(' ') ?? [];
    const isKnown = hash !== '' && Number(n) <= Math.max(this.last(), this.begins() - 1);
    return isKnown ? { n: Number(n), hash } : undefined;
  }

  setUnread(head: LedgerHead | undefined): void {
    const value = head ? `${head.n} ${head.hash}` : '';
    if (value !== (this.fact(UNREAD) ?? '')) this.setFact(UNREAD, value);
  }

  /** The replayed state as it was kept last, if it is of this format and of an entry of this copy. */
  snapshot(
    format: string,
  ): { readonly n: number; readonly hash: string; readonly state: string } | undefined {
    const row = this.#db.sql('SELECT n, hash, format, state FROM snapshot').get();
    if (row?.['format'] !== format || !(row['state'] instanceof Uint8Array)) return undefined;
    return { n: Number(row['n']), hash: String(row['hash']), state: Buffer.from(row['state']).toString() };
  }

  /** Keeps the replayed state, in the place of the one before. */
  setSnapshot(head: LedgerHead, format: string, state: string): void {
    const put = 'INSERT OR REPLACE INTO snapshot (id, n, hash, format, state) VALUES (1, ?, ?, ?, ?)';
    this.#db.sql(put).run(head.n, head.hash, format, Buffer.from(state));
  }

  /**
   * Where the bytes with this hash are that entry `n` brought: its own words, opened from the copy.
   * `undefined` when the copy does not have the entry, or the entry names no such content.
   *
   * @throws {LedgerIntegrityError} when the entry does not open.
   */
  contentAt(n: number, sha256: string): ContentRef | undefined {
    const content = this.#contentsAt(n)?.get(sha256);
    return content && relocated(content, this.#resealed);
  }

  /** Lets `contentAt` say where contents are now, by the map of a state, which lives on. */
  follow(resealed: VaultState['resealed']): void {
    this.#resealed = resealed;
  }

  #contentsAt(n: number): ReadonlyMap<string, ContentRef> | undefined {
    const known = this.#opened.get(n);
    if (known) return known;
    const entry = this.entryAt(n);
    const body = entry && openBody(entry, this.#keyring);
    if (!body) return undefined;
    const contents = new Map(contentsOf(body).map((content) => [content.sha256, content]));
    const [oldest] = this.#opened.keys();
    if (oldest !== undefined && this.#opened.size >= OPENED_ENTRIES) this.#opened.delete(oldest);
    this.#opened.set(n, contents);
    return contents;
  }

  /**
   * What vault and ledger last agreed on, for every file that is no task's note. The map lives on: it
   * follows each `setAgreed`.
   */
  allAgreed(): ReadonlyMap<string, AgreedFile> {
    return this.#agreed.all();
  }

  /** Notes what was agreed on for a path, or with `undefined` that there is no file any more. */
  setAgreed(path: string, agreed: AgreedFile | undefined): void {
    this.#agreed.set(path, agreed);
  }

  /** Where this machine last put the note of a task, and with which bytes. */
  noteAt(taskId: string): PlacedNote | undefined {
    return this.#notes.get(taskId);
  }

  /** The same for all tasks; the map follows each `setNoteAt`. */
  allNotes(): ReadonlyMap<string, PlacedNote> {
    return this.#notes.all();
  }

  /** @param n and `fileId`: the entry that brought these bytes and the file's own id, where they are known. */
  setNoteAt(taskId: string, path: string, sha256: string, n = 0, fileId = ''): void {
    this.#notes.set(taskId, { path, sha256, n, fileId });
  }

  /** The files of the last scan; the map follows each `setStats`. */
  allStats(): ReadonlyMap<string, KnownStat> {
    return this.#stats.all();
  }

  /** Notes what a scan found; `undefined` for a file that is gone. */
  setStats(stats: ReadonlyMap<string, KnownStat | undefined>): void {
    this.together(() => {
      for (const [path, stat] of stats) this.#stats.set(path, stat);
    });
  }

  /** How far an effect has come; durable before the step it announces. */
  journal(idempotencyKey: string, effect: JournaledEffect): void {
    const put = 'INSERT OR REPLACE INTO effects (key, effect) VALUES (?, ?)';
    this.#db.sql(put).run(idempotencyKey, JSON.stringify(effect));
  }

  journaled(idempotencyKey: string): JournaledEffect | undefined {
    const row = this.#db.sql('SELECT effect FROM effects WHERE key = ?').get(idempotencyKey);
    return row ? (JSON.parse(String(row['effect'])) as JournaledEffect) : undefined;
  }

  /** The keys of all effects whose tool was called, or was about to be. */
  calledEffects(): string[] {
    const rows = this.#db.sql('SELECT key, effect FROM effects ORDER BY key').all();
    return rows
      .filter((row) => (JSON.parse(String(row['effect'])) as JournaledEffect).stage !== 'prepared')
      .map((row) => String(row['key']));
  }

  /** Claims this machine has taken and not yet put down in the task store. */
  openClaims(): { taskId: string; epoch: number }[] {
    const rows = this.#db.sql('SELECT taskId, epoch FROM claims ORDER BY taskId').all();
    return rows.map((row) => ({ taskId: String(row['taskId']), epoch: Number(row['epoch']) }));
  }

  noteClaim(taskId: string, epoch: number | undefined): void {
    if (epoch === undefined) this.#db.sql('DELETE FROM claims WHERE taskId = ?').run(taskId);
    else this.#db.sql('INSERT OR REPLACE INTO claims (taskId, epoch) VALUES (?, ?)').run(taskId, epoch);
  }

  /** Names of the stored contents that `employee verify` has found good on this machine. */
  proved(): Set<string> {
    const rows = this.#db.sql('SELECT name FROM proved').all();
    return new Set(rows.map((row) => String(row['name'])));
  }

  setProved(names: readonly string[]): void {
    this.together(() => {
      for (const name of names) this.#db.sql('INSERT OR IGNORE INTO proved (name) VALUES (?)').run(name);
    });
  }

  /** A small fact to show later, such as when the last sync ended. */
  fact(name: string): string | undefined {
    const row = this.#db.sql('SELECT value FROM facts WHERE name = ?').get(name);
    return row ? String(row['value']) : undefined;
  }

  setFact(name: string, value: string): void {
    this.#db.sql('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)').run(name, value);
  }

  close(): void {
    this.#db.close();
  }
}
