import { existsSync, readFileSync } from 'node:fs';
import { replaceFileNow } from './durable-file.ts';
import { keysText, parseKeys } from './keys.ts';
import type { AgentKeys } from './keys.ts';

/** Where the keys of this machine are kept, beside what is in memory. Both calls are done when they return. */
export interface KeyStore {
  /** What stands there now: another process may have renewed it. */
  read(): AgentKeys;
  /** Durable, whole or not at all, and for its owner alone. */
  write(keys: AgentKeys): void;
  /** Keeps a copy of what stands there now, once for each `reason`; answers where. */
  backUp(reason: string): string;
}

/** The keys in a file; the caller holds the lock of its folder when it writes. */
export function createKeyStore(file: string): KeyStore {
  return {
    read: () => parseKeys(file, readFileSync(file, 'utf8')),
    write: (keys) => replaceFileNow(file, keysText(keys), 0o600),
    backUp: (reason) => {
      const copy = `${file}.${reason}`;
      if (!existsSync(copy)) replaceFileNow(copy, readFileSync(file), 0o600);
      return copy;
    },
  };
}
