import { z } from 'zod';
import { Sha256 } from './ids.ts';

/** Contents up to this size travel inside the ledger entry; larger ones as sealed blobs. */
export const INLINE_LIMIT_BYTES = 8 * 1024;

/** A part of an object of the blob store. */
const PackPart = z.strictObject({ id: Sha256, offset: z.int().nonnegative(), sizeBytes: z.int().positive() });

/** Bytes that lie sealed in the blob store. */
export const BlobRef = z.strictObject({
  sha256: Sha256,
  sizeBytes: z.int().nonnegative(),
  blob: Sha256,
  pack: PackPart.optional(),
});
export type BlobRef = z.infer<typeof BlobRef>;

/**
 * Where the bytes of a note or file are. `sha256` and `sizeBytes` are of the plain bytes. Inline text is
 * base64 unless it is valid UTF-8, so that any bytes survive. A sealed blob is an object of its own, or one
 * of many pieces of a pack.
 */
export const ContentRef = z.union([
  z.strictObject({ sha256: Sha256, sizeBytes: z.int().nonnegative(), text: z.string() }),
  z.strictObject({ sha256: Sha256, sizeBytes: z.int().nonnegative(), base64: z.string() }),
  BlobRef,
]);
export type ContentRef = z.infer<typeof ContentRef>;

/** Bytes that stand in the local copy of the ledger, inside of entry `entry`. Never written into an entry. */
export interface EntryContent {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly entry: number;
}

/** Content as the replayed state holds it. */
export type HeldContent = ContentRef | EntryContent;

/** Content that travelled in entry `n`, without its bytes: those stay in the copy of the ledger. */
export function heldContent(content: ContentRef, n: number): HeldContent {
  if ('blob' in content) return content;
  return { sha256: content.sha256, sizeBytes: content.sizeBytes, entry: n };
}
