import { sha256Hex } from './canonical.ts';
import { INLINE_LIMIT_BYTES } from './content.ts';
import type { BlobRef, ContentRef, HeldContent } from './content.ts';
import { SealError } from './errors.ts';
import type { BlobStore } from './ports.ts';
import { blobIdOf, currentKeys, open, seal } from './seal.ts';
import type { Keyring, Ring } from './seal.ts';

/**
 * Puts the bytes of a note or file where an entry can point at them: up to 8 KB into the reference
 * itself, above as a blob sealed with the ring's current key. A blob is there before the reference is.
 *
 * @throws {SealError} when this zone holds no key of the ring; whatever the blob store throws.
 */
export async function storeContent(
  bytes: Uint8Array,
  ring: Ring,
  keyring: Keyring,
  vaultId: string,
  blobs: BlobStore,
): Promise<ContentRef> {
  if (bytes.byteLength <= INLINE_LIMIT_BYTES) return inlineContent(bytes);
  return storeBlob(bytes, ring, keyring, vaultId, blobs);
}

/**
 * The same, always as a sealed blob: for what not every reader of the entry may read.
 *
 * @throws {SealError} as `storeContent`.
 */
export async function storeBlob(
  bytes: Uint8Array,
  ring: Ring,
  keyring: Keyring,
  vaultId: string,
  blobs: BlobStore,
): Promise<BlobRef> {
  const key = writingKey(keyring, ring);
  const blob = blobIdOf(key, bytes);
  await blobs.put(blob, sealBlob(key, bytes, vaultId, blob));
  return { sha256: sha256Hex(bytes), sizeBytes: bytes.byteLength, blob };
}

/** A reference that carries the bytes in itself. */
export function inlineContent(bytes: Uint8Array): ContentRef {
  const facts = { sha256: sha256Hex(bytes), sizeBytes: bytes.byteLength };
  const text = utf8Text(bytes);
  return text === undefined
    ? { ...facts, base64: Buffer.from(bytes).toString('base64') }
    : { ...facts, text };
}

/**
 * The key that a ring is written with now.
 *
 * @throws {SealError} when this zone holds none.
 */
export function writingKey(keyring: Keyring, ring: Ring): string {
  const key = currentKeys(keyring)[ring];
  if (key === undefined) throw new SealError(`this zone holds no ${ring} key to write with`);
  return key;
}

/** Seals a blob, bound to its vault and id: in the place of another one it does not open. */
export function sealBlob(key: string, bytes: Uint8Array, vaultId: string, blob: string): Buffer {
  return seal(key, bytes, blobContext(vaultId, blob));
}

/**
 * The bytes that a reference stands for, checked against its hash and size. Each key epoch of the ring
 * is tried, the latest first.
 *
 * @throws {SealError} when no key at hand opens the blob, or the bytes are not those of the reference;
 * whatever the blob store throws.
 */
export async function loadContent(
  ref: HeldContent,
  ring: Ring,
  keyring: Keyring,
  vaultId: string,
  blobs: BlobStore,
): Promise<Buffer> {
  if (!('blob' in ref)) return openContent(ref, new Uint8Array(), ring, keyring, vaultId);
  const { blob, pack } = ref;
  return openContent(ref, await (pack ? blobs.get(pack.id, pack) : blobs.get(blob)), ring, keyring, vaultId);
}

/**
 * The same for a blob whose sealed bytes are at hand already.
 *
 * @throws {SealError} as `loadContent`.
 */
export function openContent(
  ref: HeldContent,
  sealed: Uint8Array,
  ring: Ring,
  keyring: Keyring,
  vaultId: string,
): Buffer {
  const bytes = bytesOf(ref, sealed, ring, keyring, vaultId);
  if (bytes.byteLength !== ref.sizeBytes || sha256Hex(bytes) !== ref.sha256) {
    throw new SealError('the stored contents are not the ones that the ledger names');
  }
  return bytes;
}

function bytesOf(
  ref: HeldContent,
  sealed: Uint8Array,
  ring: Ring,
  keyring: Keyring,
  vaultId: string,
): Buffer {
  if ('text' in ref) return Buffer.from(ref.text);
  if ('base64' in ref) return Buffer.from(ref.base64, 'base64');
  if ('entry' in ref) throw new SealError(`the contents stand in entry ${ref.entry} of the local copy`);
  const latestFirst = keyring.toSorted((a, b) => b.keyEpoch - a.keyEpoch);
  let cause: unknown;
  for (const { [ring]: key } of latestFirst) {
    if (key === undefined) continue;
    try {
      return open(key, sealed, blobContext(vaultId, ref.blob));
    } catch (error) {
      cause ??= error;
    }
  }
  throw new SealError(`no ${ring} key of this zone opens blob ${ref.blob}`, { cause });
}

function blobContext(vaultId: string, blob: string): string {
  return `${vaultId}/blob/${blob}`;
}

/** The text, if these bytes are exactly its UTF-8; a byte order mark survives. */
function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
