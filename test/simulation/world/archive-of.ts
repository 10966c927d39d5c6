import { archivedObject } from '#protocol/archive.ts';
import type { ArchiveReader } from '#protocol/ports.ts';
import type { MemoryArchive } from '#test/support/memory/memory-archive.ts';
import type { MemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimProcess } from '../kernel/process.ts';

/**
 * A ledger whose entries stand in the archive as soon as in the table: the stream takes seconds, and no backup comes
 * back in so few.
 */
export function archivedLedger(ledger: MemoryLedgerStore, archive: MemoryArchive): MemoryLedgerStore {
  return {
    ...ledger,
    append: async (entry) => {
      const outcome = await ledger.append(entry);
      const { vaultId, n } = entry;
      if (outcome === 'appended')
        await archive.put(archivedObject({ change: 'insert', vaultId, n, image: entry, sequence: `${n}` }));
      return outcome;
    },
  };
}

/** The archive as a process of a machine reaches it: all names come with one call, as a page holds a thousand. */
export function archiveOf(kernel: Kernel, process: SimProcess, archive: MemoryArchive): ArchiveReader {
  const port = kernel.port(process, 'archive', {
    page: (prefix: string, after?: string): Promise<string[]> =>
      Array.fromAsync(archive.names(prefix, after)),
    read: (name: string) => archive.read(name),
  });
  return {
    async *names(prefix, after) {
      yield* await port.page(prefix, after);
    },
    read: (name) => port.read(name),
  };
}
