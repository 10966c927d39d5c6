import { checkSignature, LedgerEntry, openBody } from './ledger-entry.ts';
import type { Writer } from './ledger-entry.ts';
import type { LedgerBody } from './ledger-body.ts';
import { blobIdOf, currentKeys, open, seal } from './seal.ts';
import type { PublicKey } from './signing.ts';
import { REPLAY_VERSION } from './state-snapshot.ts';
import type { VaultState } from './vault-state.ts';

/** Gives a reader that has nothing yet the state at the newest checkpoint, or `undefined` where there is none. */
export type BeginAtCheckpoint = (writer: Writer, root: PublicKey) => Promise<VaultState | undefined>;

/** The blob that holds a copy of the newest checkpoint's entry: a reader that begins need not look for it. */
export function checkpointHintId({ vaultId, keyring }: Pick<Writer, 'vaultId' | 'keyring'>): string {
  return blobIdOf(currentKeys(keyring).shared, Buffer.from(`checkpoint/${vaultId}`));
}

/** The hint's sealed bytes. */
export function sealHint(entry: LedgerEntry, { vaultId, keyring }: Writer): Buffer {
  return seal(currentKeys(keyring).shared, Buffer.from(JSON.stringify(entry)), hintContext(vaultId));
}

/**
 * What the checkpoint says whose hint this is; `undefined` if the rules of replay were others then.
 *
 * @throws when it is no checkpoint of this vault that the root key signed.
 */
export function openHint(
  sealed: Uint8Array,
  { vaultId, keyring }: Writer,
  root: PublicKey,
): Extract<LedgerBody, { kind: 'checkpoint' }> | undefined {
  const text = open(currentKeys(keyring).shared, sealed, hintContext(vaultId)).toString();
  const entry = LedgerEntry.parse(JSON.parse(text));
  checkSignature(entry, [root]);
  const body = openBody(entry, keyring);
  const isOurs = entry.vaultId === vaultId && body?.kind === 'checkpoint' && body.replay === REPLAY_VERSION;
  return isOurs ? body : undefined;
}

function hintContext(vaultId: string): string {
  return `${vaultId}/checkpoint-hint`;
}
