import { sha256Hex } from '#protocol/canonical.ts';
import type { ContentRef } from '#protocol/content.ts';
import { sealBlob } from '#protocol/content-store.ts';
import { BlobMissingError, SealError } from '#protocol/errors.ts';
import { PACK_LIMIT_BYTES } from '#protocol/pack.ts';
import { blobIdOf } from '#protocol/seal.ts';
import type { Agent } from '../agent.ts';
import { load } from '../contents.ts';
import type { WantedContent } from '../verify/wanted-contents.ts';

/** The object of the blob store in which contents are: a blob of their own, or a pack. */
export function objectOf(content: ContentRef): string | undefined {
  if (!('blob' in content)) return undefined;
  return content.pack?.id ?? content.blob;
}

/** Bytes with this hash: from a file of the vault, or from where they are stored a second time. */
export async function findBytes(
  agent: Agent,
  sha256: string,
  onDisk: ReadonlyMap<string, string>,
  elsewhere: ReadonlyMap<string, WantedContent>,
): Promise<Uint8Array | undefined> {
  const path = onDisk.get(sha256);
  const bytes = path === undefined ? undefined : await agent.files.read(path);
  if (bytes && sha256Hex(bytes) === sha256) return bytes;
  const other = elsewhere.get(sha256);
  return other && load(agent, other.content, other.ring);
}

/**
 * Writes an object of the blob store with the given contents in their places. What else a pack holds is
 * taken over as it stands; where the pack is gone, the places of others stay empty, for a machine that
 * has those bytes to fill.
 *
 * @throws {SealError} when no key of this machine gives the contents the name that the ledger knows.
 */
export async function putBack(
  agent: Agent,
  object: string,
  wanted: readonly (WantedContent & { readonly bytes: Uint8Array })[],
): Promise<void> {
  if (wanted.length === 0) return;
  const left = await agent.blobs.get(object).catch((error: unknown) => {
    if (error instanceof BlobMissingError) return new Uint8Array();
    throw error;
  });
  // Made once: a pack may have thousands of places.
  const sizeBytes = wanted.reduce((size, { content }) => Math.max(size, endOf(content)), left.length);
  if (sizeBytes > Math.max(left.length, PACK_LIMIT_BYTES)) {
    throw new SealError(`no pack is as large as the ${sizeBytes} bytes that its entry names`);
  }
  let whole: Uint8Array = Buffer.alloc(sizeBytes);
  whole.set(left);
  for (const { content, ring, bytes } of wanted) {
    if (!('blob' in content)) continue;
    const { blob, pack } = content;
    const key = agent.keys.keyring
      .map((keys) => keys[ring])
      .find((candidate) => candidate !== undefined && blobIdOf(candidate, bytes) === blob);
    if (key === undefined) throw new SealError(`no ${ring} key of this machine makes the blob ${blob}`);
    const sealed = sealBlob(key, bytes, agent.config.vaultId, blob);
    if (!pack) whole = sealed;
    else if (sealed.length !== pack.sizeBytes) {
      throw new SealError(`the place of the blob ${blob} in its pack is not as long as it is`);
    } else whole.set(sealed, pack.offset);
  }
  await agent.blobs.put(object, whole);
}

function endOf(content: ContentRef): number {
  const pack = 'blob' in content ? content.pack : undefined;
  return pack ? pack.offset + pack.sizeBytes : 0;
}
