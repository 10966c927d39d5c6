import type { KeyStore } from '#local-agent/key-store.ts';
import { AgentKeys } from '#local-agent/keys.ts';

/** A keys' file in memory, which outlives the process of its machine. */
export function createMemoryKeyStore(keys: AgentKeys): KeyStore {
  let text = JSON.stringify(keys);
  return {
    read: () => AgentKeys.parse(JSON.parse(text)),
    backUp: (reason) => reason,
    write: (fresh) => {
      text = JSON.stringify(fresh);
    },
  };
}
