import type {
  ClaimAnswer,
  ClaimProof,
  ClaimRequest,
  ReleaseRequest,
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
}

/** The ledger's table: entries by number, written once, never changed. */
export interface LedgerStore {
  /** Puts the entry under its number if that number is free. Throws when the outcome is unknown. */
  append(entry: LedgerEntry): Promise<'appended' | 'taken'>;
  /**
   * Entries with `n > after`, ascending, strongly consistent, one page. The last page is the one with
   * `more: false`. Values are as stored and unchecked: whoever holds the table may have written them.
   */
  read(
    vaultId: string,
    after: number,
  ): Promise<{ readonly entries: readonly unknown[]; readonly more: boolean }>;
}

/** Immutable sealed bytes by id. Putting the same id twice is harmless. */
export interface BlobStore {
  put(id: string, sealed: Uint8Array): Promise<void>;
  /** @throws {BlobMissingError} when there is no such blob. */
  get(id: string): Promise<Uint8Array>;
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

export interface Clock {
  /** Wall clock, ISO-8601 UTC with milliseconds. */
  now(): string;
  /** Milliseconds that only grow; for measuring, never for comparing between machines. */
  monotonicMs(): number;
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
  /** Modification time in ms; a hint only. */
  readonly modifiedMs: number;
}

/** The vault's file system. Paths are vault paths; nothing outside the root is ever touched. */
export interface Files {
  list(): Promise<readonly FileStat[]>;
  /** `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Temp file, fsync, re-check, rename. `expected` is the hash of what may be replaced, or `null` for nothing. */
  write(path: string, bytes: Uint8Array, expected: string | null): Promise<'written' | 'changed'>;
  move(from: string, to: string, expected: string): Promise<'moved' | 'changed'>;
  remove(path: string, expected: string): Promise<'removed' | 'changed'>;
}
