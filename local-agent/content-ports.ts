import type { BlobRef, ContentRef, HeldContent } from '#protocol/content.ts';
import { SealError } from '#protocol/errors.ts';
import { SEAL_OVERHEAD_BYTES } from '#protocol/seal.ts';
import type { AgentPorts } from './agent.ts';

/** What contents are stored and loaded with. */
export type ContentPorts = Pick<AgentPorts, 'keys' | 'config' | 'blobs' | 'copy'>;

/**
 * The same content as its entry says it.
 *
 * @throws {SealError} when the entry is not in the copy.
 */
export function inWords(copy: ContentPorts['copy'], content: HeldContent): ContentRef {
  if (!('entry' in content)) return content;
  const found = copy.contentAt(content.entry, content.sha256);
  if (found) return found;
  throw new SealError(`the copy on this machine has no such contents in entry ${content.entry}`);
}

/** Nothing that this program stores is half as large. */
const MAX_CONTENT_BYTES = 64 * 1024 * 1024;

/**
 * The sealed bytes of a content, and no more of the object than the ledger says there is: whoever writes
 * into the bucket, or names a size, decides nothing about this machine's memory.
 *
 * @throws {SealError} when the ledger names more than anybody honest stores. {BlobMissingError}
 */
export async function sealedBytes(
  blobs: ContentPorts['blobs'],
  { blob, pack, sizeBytes }: BlobRef,
): Promise<Uint8Array> {
  const part = pack ?? { offset: 0, sizeBytes: sizeBytes + SEAL_OVERHEAD_BYTES };
  if (isTooLarge(part.sizeBytes)) {
    throw new SealError(`the ledger names contents of ${part.sizeBytes} bytes, which nobody here stored`);
  }
  return blobs.get(pack?.id ?? blob, { offset: part.offset, sizeBytes: part.sizeBytes });
}

/** Whether so many bytes are more than is ever fetched at once. */
export function isTooLarge(sizeBytes: number): boolean {
  return sizeBytes > MAX_CONTENT_BYTES;
}
