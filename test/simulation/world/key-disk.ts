import type { KeyStore } from '#local-agent/key-store.ts';
import { keysText, parseKeys } from '#local-agent/keys.ts';
import type { AgentKeys } from '#local-agent/keys.ts';
import type { VaultKeys } from '#protocol/seal.ts';

const FILE = 'keys.json';

/**
 * The file of a machine's keys and the copies beside it: they outlive its processes. A write happens or does not; that
 * the real one is so when the power fails is for the tests of the disk.
 */
export class KeyDisk implements KeyStore {
  #text = '';
  /** What `backUp` kept, by its reason. */
  readonly copies = new Map<string, AgentKeys>();
  /** Every vault key and every approver's key that was ever here. */
  readonly vaultKeys: VaultKeys[] = [];
  readonly approverKeys = new Set<string>();
  readonly #ownKeys = new Set<string>();

  constructor(first: AgentKeys) {
    this.write(first);
  }

  read(): AgentKeys {
    return parseKeys(FILE, this.#text);
  }

  write(keys: AgentKeys): void {
    this.#text = keysText(keys);
    const { keyring, approval, rotation, signing } = keys;
    for (const { keyEpoch, shared, private: own } of keyring) {
      if (this.vaultKeys.some((known) => known.shared === shared)) continue;
      this.vaultKeys.push({ keyEpoch, shared, ...(own === undefined ? {} : { private: own }) });
    }
    for (const key of [approval, rotation?.compromised?.approval]) {
      if (!key) continue;
      this.approverKeys.add(key.publicKey);
      this.#ownKeys.add(key.privateKey);
    }
    for (const key of [signing.privateKey, ...keyring.map((each) => each.private)])
      if (key !== undefined) this.#ownKeys.add(key);
  }

  /** What of all that was ever here is for nobody but the owner's machines. */
  get ownKeys(): readonly string[] {
    return [...this.#ownKeys];
  }

  backUp(reason: string): string {
    if (!this.copies.has(reason)) this.copies.set(reason, this.read());
    return `${FILE}.${reason}`;
  }
}
