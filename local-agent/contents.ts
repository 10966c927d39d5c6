import { loadContent, storeContent } from '#protocol/content-store.ts';
import type { ContentRef } from '#protocol/content.ts';
import type { Ring } from '#protocol/seal.ts';
import type { Agent } from './agent.ts';

/** Puts bytes where an entry can point at them: inline when small, else as a sealed blob. */
export function store(agent: Agent, bytes: Uint8Array, ring: Ring): Promise<ContentRef> {
  return storeContent(bytes, ring, agent.keys.keyring, agent.config.vaultId, agent.blobs);
}

/** The bytes an entry points at, checked against its hash. */
export function load(agent: Agent, content: ContentRef, ring: Ring): Promise<Buffer> {
  return loadContent(content, ring, agent.keys.keyring, agent.config.vaultId, agent.blobs);
}
