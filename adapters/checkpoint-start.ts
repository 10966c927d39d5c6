import { gunzipSync } from 'node:zlib';
import { checkpointHintId, openHint } from '#protocol/checkpoint.ts';
import type { BeginAtCheckpoint } from '#protocol/checkpoint.ts';
import { loadContent } from '#protocol/content-store.ts';
import type { BlobStore } from '#protocol/ports.ts';
import type { Ring } from '#protocol/seal.ts';
import { stateOfSnapshot } from '#protocol/state-snapshot.ts';

/**
 * Begins at the newest checkpoint. It counts only if the vault's root key signed it, the rules of replay are
 * still the same, and the snapshot is the one it names. Whatever is wrong, the answer is `undefined`: then the
 * ledger is read from its first entry. Two calls, or one where there is no checkpoint.
 *
 * The chain goes on from the entry that the checkpoint names: the next `pull` requires that very entry.
 *
 * @param ring `private` for the whole state, `shared` for what the cloud zone may know.
 */
export function createCheckpointStart(blobs: BlobStore, ring: Ring): BeginAtCheckpoint {
  return async (writer, root) => {
    const { vaultId, keyring } = writer;
    try {
      const body = openHint(await blobs.get(checkpointHintId(writer)), writer, root);
      if (!body) return undefined;
      const zipped = await loadContent(body[ring], ring, keyring, vaultId, blobs);
      const state = stateOfSnapshot(gunzipSync(zipped).toString());
      const { n, hash } = state.head;
      return state.vaultId === vaultId && n === body.upTo && hash === body.hash ? state : undefined;
    } catch {
      return undefined;
    }
  };
}
