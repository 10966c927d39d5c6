import type { BlobInventory, StoredBlob } from '#protocol/ports.ts';
import type { MemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimProcess } from '../kernel/process.ts';

/** A real page has a thousand objects, and a world has dozens: so that others act amid a listing, pages are short. */
const PAGE = 4;

/** The inventory of the blob store, as a process of a machine reaches it: each page is a call, in the order of the ids. */
export function inventoryOf(kernel: Kernel, process: SimProcess, blobs: MemoryBlobStore): BlobInventory {
  const port = kernel.port(process, 'inventory', {
    page: async (after: string): Promise<StoredBlob[]> => {
      const all = await Array.fromAsync(blobs.list());
      const behind = all.filter(({ id }) => id > after);
      return behind.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, PAGE);
    },
    remove: (ids: readonly string[]) => blobs.remove(ids),
  });
  return {
    async *list() {
      for (let after: string | undefined = ''; after !== undefined;) {
        const page: StoredBlob[] = await port.page(after);
        yield* page;
        after = page.at(-1)?.id;
      }
    },
    remove: (ids) => port.remove(ids),
  };
}
