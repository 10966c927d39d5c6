import type { Disk } from './disk.ts';

/** The sync of a folder that waits for the one under way: whoever comes meanwhile joins it. */
interface Syncing {
  next: Promise<void> | undefined;
  readonly now: Promise<void>;
}

const syncing = new WeakMap<Disk, Map<string, Syncing>>();

/**
 * Makes durable the names of a folder as they are at this moment. Many at once share one call: each needs one
 * that begins after it asked, and one is enough for all who asked before it began.
 *
 * @param descriptor the open folder; it has to stay open until this ends.
 */
export function syncFolder(disk: Disk, descriptor: number): Promise<void> {
  const { dev, ino } = disk.fstat(descriptor);
  const folder = `${dev}:${ino}`;
  const all = syncing.get(disk) ?? new Map<string, Syncing>();
  syncing.set(disk, all);
  const begin = (): Promise<void> => {
    const now = disk.sync(descriptor).finally(() => {
      if (all.get(folder)?.now === now) all.delete(folder);
    });
    all.set(folder, { now, next: undefined });
    return now;
  };
  const under = all.get(folder);
  if (!under) return begin();
  under.next ??= under.now.then(begin, begin);
  return under.next;
}
