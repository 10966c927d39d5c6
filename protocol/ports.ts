import type { ArchivedObject } from './archive.ts';
import type {
  ClaimAnswer,
  ClaimProof,
  ClaimRequest,
  MendRequest,
  ReleaseRequest,
  SuspectRequest,
  TakeoverRequest,
  TransferRequest,
} from './claim.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import type { ParsedMail } from './mail.ts';
import type { ModelReply, ModelRequest } from './model.ts';
import type { Task, TaskEvent } from './task.ts';

/**
 * The tasks' items. Each write is one conditional update of one item. A failed condition is an answer
 * (`won: false`); whatever else goes wrong is thrown, with the reply's fate unknown to the caller.
 */
export interface TaskStore {
  get(taskId: string): Promise<Task | undefined>;
  /**
   * Begins the triage of a mail: makes the item in state `received`, or finds one that is still there
   * (a try that died). `false`: the mail was dealt with before. One call.
   */
  begin(taskId: string): Promise<boolean>;
  /** Applies an event to an item nobody holds, if its state allows. One call. */
  settle(taskId: string, event: TaskEvent, home: Task['home']): Promise<ClaimAnswer>;
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  renew(proof: ClaimProof): Promise<ClaimAnswer>;
  release(request: ReleaseRequest): Promise<ClaimAnswer>;
  transfer(request: TransferRequest): Promise<ClaimAnswer>;
  takeover(request: TakeoverRequest): Promise<ClaimAnswer>;
  suspect(request: SuspectRequest): Promise<ClaimAnswer>;
  mend(request: MendRequest): Promise<ClaimAnswer>;
}

/** The ledger's table: entries by number, written once, never changed. */
export interface LedgerStore {
  /** Puts the entry under its number if that number is free. Throws when the outcome is unknown. */
  append(entry: LedgerEntry): Promise<'appended' | 'taken'>;
  /**
   * Entries with `n > after`, ascending, strongly consistent, one page. The last page is the one with
   * `more: false`. Values are as stored and unchecked: whoever holds the table may have written them.
   *
   * @param known the reader has these entries, and wants each left out that stands there with its signature. A
   * store may answer them all the same. At most {@link MAX_KNOWN}.
   */
  read(vaultId: string, after: number, known?: readonly KnownEntry[]): Promise<LedgerPage>;
}

/** So many entries a reader may want left out of a page. */
export const MAX_KNOWN = 8;

/** An entry that a reader has already, by its number and signature. */
export interface KnownEntry {
  readonly n: number;
  readonly sig: string;
}

/** One page of a ledger. */
export interface LedgerPage {
  readonly entries: readonly unknown[];
  readonly more: boolean;
  /** How many of the known entries stand there, and were left out. */
  readonly leftOut?: number;
}

/** Immutable sealed bytes by id. Putting the same id twice is harmless. */
export interface BlobStore {
  put(id: string, sealed: Uint8Array): Promise<void>;
  /**
   * The blob, or exactly that part of it.
   *
   * @throws {BlobMissingError} when there is no such blob, or it ends before the part does.
   */
  get(id: string, part?: { readonly offset: number; readonly sizeBytes: number }): Promise<Uint8Array>;
}

/** What is in the blob store, for clearing up. No role of the cloud zone may do this. */
export interface BlobInventory {
  /** Every blob with its size and the time of its last `put`, by the store's own clock. */
  list(): AsyncIterable<StoredBlob>;
  /** Removes blobs; one that is gone already is no error. */
  remove(ids: readonly string[]): Promise<void>;
}

export interface StoredBlob {
  readonly id: string;
  readonly sizeBytes: number;
  /** ISO-8601 UTC. */
  readonly storedAt: string;
}

/** Where copies of the ledger stand that nobody can take back. The role that puts them can do nothing else. */
export interface Archive {
  /** Putting the same object twice is harmless. */
  put(object: ArchivedObject): Promise<void>;
}

/** What stands in the archive, for who compares the ledger with it. */
export interface ArchiveReader {
  /** The names that begin with `prefix`, in their order; only those behind `after`, which needs not be one of them. */
  names(prefix: string, after?: string): AsyncIterable<string>;
  /** What stands under a name. @throws {Error} when nothing does. */
  read(name: string): Promise<Uint8Array>;
}

/** A queue to write to. All messages of one call are sent, or the call throws. */
export interface Queue<Message> {
  send(messages: readonly Message[]): Promise<void>;
}

/** Raw mails as SES stored them. */
export interface MailSource {
  /** @throws {MailMissingError} when the object is not there (yet). */
  read(ref: { readonly bucket: string; readonly key: string }): Promise<Uint8Array>;
}

/** Reads MIME, whatever it holds, in bounded time and memory. */
export interface MailParser {
  /** @throws {UnreadableMailError} when the bytes are no mail, or too much of one. */
  parse(raw: Uint8Array): Promise<ParsedMail>;
}

/** Writes the words of a draft, and nothing but words. */
export interface Model {
  compose(request: ModelRequest): Promise<ModelReply>;
}

/** The mail service, for the one place that may send. */
export interface MailSender {
  send(mail: {
    readonly raw: Uint8Array;
    readonly from: string;
    readonly destinations: readonly string[];
    readonly tags: Readonly<Record<string, string>>;
  }): Promise<{ readonly messageId: string }>;
}

/** A secret's current value, as text. */
export interface SecretSource {
  read(): Promise<string>;
}

/**
 * The versions of one secret. A version's value never changes once it has one; a stage stands at one version at
 * most, and those without any stage are forgotten in time.
 */
export interface SecretVersions {
  describe(): Promise<SecretDescription>;
  /** The value of a version; `undefined` when there is no such version, or it has no value yet. */
  read(versionId: string): Promise<string | undefined>;
  /**
   * Makes a version, or gives one without a value its value, and moves the stage to it. `other`: it has another
   * value already, and nothing was done; with the same value nothing is done either.
   */
  put(versionId: string, value: string, stage: string): Promise<'put' | 'other'>;
  /**
   * Moves a stage away from `from`: to `to`, or off the secret. `elsewhere`: it does not stand at `from`, and
   * nothing was done.
   */
  moveStage(stage: string, from: string, to?: string): Promise<'moved' | 'elsewhere'>;
}

/** What a secret tells of itself, without any value. Times are ISO-8601 UTC. */
export interface SecretDescription {
  readonly rotationEnabled: boolean;
  readonly rotateEveryDays?: number;
  readonly lastRotatedAt?: string;
  readonly changedAt?: string;
  /** Stages by version, of versions that have one. */
  readonly stages: ReadonlyMap<string, readonly string[]>;
}

export interface Clock {
  /** Wall clock, ISO-8601 UTC with milliseconds. */
  now(): string;
  /** Milliseconds that only grow; for measuring, never for comparing between machines. */
  monotonicMs(): number;
  /** Waits; a clock that cannot, does not. */
  sleep?(ms: number): Promise<void>;
}

export interface Ids {
  /** A new random id of at least 122 bits. */
  next(): string;
}

/** One file or folder as a scan sees it. */
export interface FileStat {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly sizeBytes: number;
  /** Modification time in ms; a hint only: anybody can set it. */
  readonly modifiedMs: number;
  /** Time of the last change of bytes, name or rights, in ms; the system sets it. 0 where unknown. */
  readonly changedMs: number;
  /**
   * What stays the same when a file is renamed or edited in place, and what a new file does not inherit
   * from one that is gone. Empty where unknown.
   */
  readonly fileId: string;
  /**
   * Whether the times are old enough that every later change will show in them. What was written within
   * the grain of the disk's clock may change once more unseen.
   */
  readonly settled: boolean;
  /** Why nothing can be read there (no rights, a name that is no text), in words for the person. */
  readonly problem?: string;
}

/**
 * The vault's file system. Paths are vault paths; nothing outside the root is ever read or touched, and no
 * bytes that somebody saves at any moment of a call are lost: where they cannot keep their place they get
 * a name beside it, which the next `list` shows. What the disk refuses (no rights, full, too long a name)
 * is thrown as an `EmployeeError` that names the path; the file stands as before then.
 */
export interface Files {
  /** All files and folders, after putting back what a process that was killed had left aside. */
  list(): Promise<readonly FileStat[]>;
  /** One file or folder now; `undefined` when there is none. */
  stat(path: string): Promise<FileStat | undefined>;
  /** `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Temp file, fsync, re-check, swap. `expected` is the hash of what may be replaced, or `null` for nothing.
   * Missing folders are made. `changed`: something else stands there, and nothing was done.
   */
  write(path: string, bytes: Uint8Array, expected: string | null): Promise<'written' | 'changed'>;
  /** Never replaces a file. The names may differ in case or Unicode form alone. */
  move(from: string, to: string, expected: string): Promise<'moved' | 'changed'>;
  remove(path: string, expected: string): Promise<'removed' | 'changed'>;
  /** Removes a folder in which nothing is but what the system itself puts there. @returns whether it did. */
  removeFolder(path: string): Promise<boolean>;
}
