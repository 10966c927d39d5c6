import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

const QUIET_MS = 60;

/** Sleeps that can be cut short. */
export interface Wake {
  /** Ends the current sleep, or the next one at once. */
  now(): void;
  /** Waits until woken or until `ms` have passed. */
  sleep(ms: number): Promise<void>;
}

/** Makes a `Wake`. */
export function createWake(): Wake {
  let pending = false;
  let ring: (() => void) | undefined;
  return {
    now() {
      pending = true;
      ring?.();
    },
    async sleep(ms) {
      if (!pending) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          ring = resolve;
          timer = setTimeout(resolve, ms);
        });
        clearTimeout(timer);
        ring = undefined;
      }
      pending = false;
    },
  };
}

/**
 * Calls `changed` a moment after something in the vault changed. Only a hint: events may be missing or of
 * our own making, and a scan decides. Where the system offers no watching, nothing is ever called.
 */
export function watchVault(
  folder: string,
  changed: () => void,
  log: (line: string) => void,
): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const onEvent = (_kind: string, name: string | null): void => {
    // .git, .obsidian and the like are not synced, and our own temp files begin so as well.
    if (name?.split(/[\\/]/).some((part) => part.startsWith('.')) === true) return;
    clearTimeout(timer);
    timer = setTimeout(changed, QUIET_MS);
  };
  try {
    watcher = watch(folder, { recursive: true }, onEvent);
    watcher.on('error', (error) => {
      log(`watching ${folder} ended (${error.message}); changes are found by looking from time to time`);
      watcher?.close();
    });
  } catch (error) {
    log(
      `${folder} cannot be watched (${(error as Error).message}); changes are found by looking from time to time`,
    );
  }
  return {
    close() {
      clearTimeout(timer);
      watcher?.close();
    },
  };
}
