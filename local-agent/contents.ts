import { openContent, storeBlob, storeContent } from '#protocol/content-store.ts';
import type { BlobRef, ContentRef, HeldContent } from '#protocol/content.ts';
import type { Ring } from '#protocol/seal.ts';
import { inWords, sealedBytes } from './content-ports.ts';
import type { ContentPorts } from './content-ports.ts';

export { inWords } from './content-ports.ts';
export type { ContentPorts } from './content-ports.ts';
export { loadAll } from './load-all.ts';
export { storeAll } from './store-all.ts';

/** Puts bytes where an entry can point at them: inline when small, else as a sealed blob. */
export function store(agent: ContentPorts, bytes: Uint8Array, ring: Ring): Promise<ContentRef> {
  return storeContent(bytes, ring, agent.keys.keyring, agent.config.vaultId, agent.blobs);
}

/** The same, always as a sealed blob: for what not every reader of the entry may read. */
export function storeSealed(agent: ContentPorts, bytes: Uint8Array, ring: Ring): Promise<BlobRef> {
  return storeBlob(bytes, ring, agent.keys.keyring, agent.config.vaultId, agent.blobs);
}

/**
 * The bytes that the state or an entry points at, checked against their hash.
 *
 * @throws {SealError} when they are not what they should be. {BlobMissingError}
 */
export async function load(agent: ContentPorts, content: HeldContent, ring: Ring): Promise<Buffer> {
  const words = inWords(agent.copy, content);
  const sealed = 'blob' in words ? await sealedBytes(agent.blobs, words) : new Uint8Array();
  return openContent(words, sealed, ring, agent.keys.keyring, agent.config.vaultId);
}
