import { BlobMissingError } from '#protocol/errors.ts';
import type { BlobInventory, BlobStore } from '#protocol/ports.ts';

/** A blob store in memory. */
export interface MemoryBlobStore extends BlobStore, BlobInventory {
  readonly blobs: Map<string, Uint8Array>;
  /** When each was put last, by the store's clock; a test may set it back. */
  readonly storedAt: Map<string, string>;
}

/**
 * Makes an empty blob store. Bytes are copied on the way in and out.
 *
 * @param now the store's own clock.
 */
export function createMemoryBlobStore(now = () => new Date().toISOString()): MemoryBlobStore {
  const blobs = new Map<string, Uint8Array>();
  const storedAt = new Map<string, string>();
  return {
    blobs,
    storedAt,
    put: async (id, sealed) => {
      blobs.set(id, Uint8Array.from(sealed));
      storedAt.set(id, now());
    },
    get: async (id, part) => {
      const sealed = blobs.get(id);
      if (!sealed) throw new BlobMissingError(`there is no blob ${id}`);
      if (!part) return Uint8Array.from(sealed);
      const end = part.offset + part.sizeBytes;
      if (end > sealed.byteLength) throw new BlobMissingError(`the blob ${id} ends before byte ${end}`);
      return Uint8Array.from(sealed.subarray(part.offset, end));
    },
    async *list() {
      for (const [id, { byteLength: sizeBytes }] of [...blobs]) {
        yield { id, sizeBytes, storedAt: storedAt.get(id) ?? now() };
      }
    },
    remove: async (ids) => {
      for (const id of ids) blobs.delete(id);
    },
  };
}
