import type { Archive, ArchiveList } from '#protocol/ports.ts';

/** An archive in memory: what was put, by name, in the order of the names when listed. */
export function createMemoryArchive(): Archive & ArchiveList & { readonly objects: Map<string, Uint8Array> } {
  const objects = new Map<string, Uint8Array>();
  return {
    objects,
    put: async ({ name, bytes }) => void objects.set(name, bytes),
    async *names(prefix) {
      for (const name of [...objects.keys()].sort()) if (name.startsWith(prefix)) yield name;
    },
  };
}
