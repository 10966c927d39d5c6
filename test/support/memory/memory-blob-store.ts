import { BlobMissingError } from '#protocol/errors.ts';
import type { BlobStore } from '#protocol/ports.ts';

/** A blob store in memory. */
export interface MemoryBlobStore extends BlobStore {
  readonly blobs: Map<string, Uint8Array>;
}

/** Makes an empty blob store. Bytes are copied on the way in and out. */
export function createMemoryBlobStore(): MemoryBlobStore {
  const blobs = new Map<string, Uint8Array>();
  return {
    blobs,
    put: async (id, sealed) => void blobs.set(id, Uint8Array.from(sealed)),
    get: async (id) => {
      const sealed = blobs.get(id);
      if (!sealed) throw new BlobMissingError(`there is no blob ${id}`);
      return Uint8Array.from(sealed);
    },
  };
}
