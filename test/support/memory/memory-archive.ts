import type { Archive, ArchiveReader } from '#protocol/ports.ts';

/** An archive in memory: what was put, by name, in the order of the names when listed. */
export interface MemoryArchive extends Archive, ArchiveReader {
  readonly objects: Map<string, Uint8Array>;
}

export function createMemoryArchive(): MemoryArchive {
  const objects = new Map<string, Uint8Array>();
  return {
    objects,
    put: async ({ name, bytes }) => void objects.set(name, bytes),
    async *names(prefix, after = '') {
      for (const name of [...objects.keys()].sort()) if (name.startsWith(prefix) && name > after) yield name;
    },
    read: async (name) => {
      const bytes = objects.get(name);
      if (!bytes) throw new Error(`nothing stands in the archive under ${name}`);
      return bytes;
    },
  };
}
