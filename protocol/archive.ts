import { canonicalJson, sha256Hex } from './canonical.ts';

/** Where the archive keeps the entries of a vault, one object each. */
export const ARCHIVE_PREFIX = 'ledger/';

/** Where it keeps what somebody did to an entry that stood in the table already. */
export const REWRITTEN_PREFIX = 'rewritten/';

const DIGITS = 12;

/** A change of one item of the ledger's table, as its stream tells it. */
export interface LedgerChange {
  /** `insert` is the only one that honest writers make. */
  readonly change: 'insert' | 'modify' | 'remove';
  readonly vaultId: string;
  readonly n: number;
  /** The item after the change; nothing when it was removed. */
  readonly image?: unknown;
  /** Names the change within the stream. */
  readonly sequence: string;
}

/** An object of the archive: its name follows from what it holds, so that putting it twice does no harm. */
export interface ArchivedObject {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * What the archive keeps of a change. Of a new entry the canonical JSON of the entry, under its number and the hash
 * by which the next entry names it; so the list of names alone tells whether a ledger is the one that was written.
 */
export function archivedObject({ change, vaultId, n, image, sequence }: LedgerChange): ArchivedObject {
  if (change !== 'insert') {
    const text = canonicalJson({ change, image: image ?? null, n, sequence, vaultId });
    return {
      name: `${rewrittenFolder(vaultId)}${numberOf(n)}-${sequence}.json`,
      bytes: Buffer.from(text),
    };
  }
  const text = canonicalJson(image);
  return { name: archivedName(vaultId, n, sha256Hex(text)), bytes: Buffer.from(text) };
}

/** The name of an entry in the archive. @param hash the SHA-256 of its canonical JSON. */
export function archivedName(vaultId: string, n: number, hash: string): string {
  return `${archiveFolder(vaultId)}${numberOf(n)}-${hash}.json`;
}

/** Where the entries of a vault stand, in the order of their numbers. */
export function archiveFolder(vaultId: string): string {
  return folderOf(ARCHIVE_PREFIX, vaultId);
}

/** What is named after this, of that folder, has a greater number than `n`. */
export function archivedAfter(vaultId: string, n: number): string {
  // No name goes on with a character behind the hyphen that follows the number.
  return `${archiveFolder(vaultId)}${numberOf(n)}~`;
}

/** Where it stands what somebody did to the entries of a vault after they were written. */
export function rewrittenFolder(vaultId: string): string {
  return folderOf(REWRITTEN_PREFIX, vaultId);
}

/** Number and hash of the entry that an object of {@link archiveFolder} holds; `undefined` for any other name. */
export function archivedEntry(name: string): { readonly n: number; readonly hash: string } | undefined {
  const [, n, hash] = /\/(\d{12,})-([0-9a-f]{64})\.json$/.exec(name) ?? [];
  return n === undefined || hash === undefined ? undefined : { n: Number(n), hash };
}

function folderOf(prefix: string, vaultId: string): string {
  return `${prefix}${encodeURIComponent(vaultId)}/`;
}

function numberOf(n: number): string {
  return String(n).padStart(DIGITS, '0');
}
