import { watch } from 'node:fs';
import { FolderWatches } from './folder-watches.ts';

const QUIET_MS = 60;
/** Also while somebody writes without a pause. */
const LONGEST_MS = 1000;

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

/** A vault that is watched. */
export interface VaultWatch {
  /** To be called from time to time: finds out whether the vault is another folder by now. */
  refresh(): void;
  close(): void;
}

/**
 * Calls `changed` a moment after something in the vault changed. Only a hint: events may be missing or of
 * our own making (one more pass, which finds nothing), and a scan decides. Where the system offers no
 * watching, or no more of it, a line is logged and changes are found by looking from time to time.
 */
export function watchVault(folder: string, changed: () => void, log: (line: string) => void): VaultWatch {
  let timer: NodeJS.Timeout | undefined;
  let since = 0;
  const onChange = (): void => {
    const now = performance.now();
    if (timer === undefined) since = now;
    else if (now - since > LONGEST_MS) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      changed();
    }, QUIET_MS);
  };
  const watches =
    process.platform === 'linux'
      ? new FolderWatches(folder, onChange, (watched) =>
          log(
            `the system lets only ${watched} folders of ${folder} be watched (fs.inotify.max_user_watches); ` +
              'changes in the others are found by looking from time to time',
          ),
        )
      : watchTree(folder, onChange, log);
  return {
    refresh: () => watches.refresh(),
    close() {
      clearTimeout(timer);
      watches.close();
    },
  };
}

/** macOS and Windows watch a whole tree at once. */
function watchTree(folder: string, onChange: () => void, log: (line: string) => void): VaultWatch {
  const later = 'changes are found by looking from time to time';
  try {
    const watcher = watch(folder, { recursive: true }, (_event, name) => {
      if (name?.split(/[\\/]/).some((part) => part.startsWith('.')) !== true) onChange();
    });
    watcher.on('error', (error) => {
      log(`watching ${folder} ended (${error.message}); ${later}`);
      watcher.close();
    });
    return { refresh: () => undefined, close: () => watcher.close() };
  } catch (error) {
    log(`${folder} cannot be watched (${(error as Error).message}); ${later}`);
    return { refresh: () => undefined, close: () => undefined };
  }
}
