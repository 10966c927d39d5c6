import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** Notes that turned up in `Pending_Approval/`, by the id that their subject begins with. */
export interface VaultWatch {
  /** When each was first seen, in ms of `performance.now()`. */
  readonly seenAtMs: ReadonlyMap<string, number>;
  /** How many notes stand there for each id now. */
  count(): Promise<ReadonlyMap<string, number>>;
  close(): void;
}

/** Watches the folder of drafts of a vault for notes whose subject begins with an id such as `steady-12`. */
export function watchDrafts(vault: string): VaultWatch {
  const folder = path.join(vault, 'Pending_Approval');
  const seenAtMs = new Map<string, number>();
  const watcher = watch(folder, (_event, name) => {
    const id = idIn(name ?? '');
    if (id !== undefined && !seenAtMs.has(id)) seenAtMs.set(id, performance.now());
  });
  return {
    seenAtMs,
    count: async () => {
      const counts = new Map<string, number>();
      for (const name of await readdir(folder)) {
        const id = idIn(name);
        if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return counts;
    },
    close: () => watcher.close(),
  };
}

/** Temp files of a write in progress begin with a dot and match nothing. */
function idIn(name: string): string | undefined {
  return /^\d{4}-\d\d-\d\d Re ([a-z]+-\d+) |^\d{4}-\d\d-\d\d ([a-z]+-\d+) /
    .exec(name)
    ?.slice(1)
    .find(Boolean);
}
