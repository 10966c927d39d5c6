import { z } from 'zod';
import { Sha256 } from './ids.ts';

/** Contents up to this size travel inside the ledger entry; larger ones as sealed blobs. */
export const INLINE_LIMIT_BYTES = 8 * 1024;

/**
 * Where the bytes of a note or file are. `sha256` and `sizeBytes` are of the plain bytes. Inline text is
 * base64 unless it is valid UTF-8, so that any bytes survive.
 */
export const ContentRef = z.union([
  z.strictObject({ sha256: Sha256, sizeBytes: z.int().nonnegative(), text: z.string() }),
  z.strictObject({ sha256: Sha256, sizeBytes: z.int().nonnegative(), base64: z.string() }),
  z.strictObject({ sha256: Sha256, sizeBytes: z.int().nonnegative(), blob: Sha256 }),
]);
export type ContentRef = z.infer<typeof ContentRef>;
