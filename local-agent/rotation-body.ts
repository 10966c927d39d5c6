import { wrapKeys } from '#protocol/key-epoch.ts';
import type { KeysBody } from '#protocol/ledger-body.ts';
import type { PublicKey } from '#protocol/signing.ts';
import type { Agent } from './agent.ts';
import { KeysMissingError } from './key-epochs.ts';
import type { Rotation } from './keys.ts';

/**
 * The keys that a rotation puts into force. The other machines find the vault keys in it, sealed with those that
 * they have; after a compromise they do not, since others may have those too, and the approver and the cloud zone
 * get new keys as well. The cloud zone may sign with the one that it has until it has read the new one.
 */
export function newKeysBody(
  { keys, config }: Pick<Agent, 'keys' | 'config'>,
  inForce: KeysBody,
  { keyEpoch, compromised }: Rotation,
  cloud: { readonly writer: string; readonly publicKey: PublicKey },
): KeysBody {
  const [before, next] = [inForce.keyEpoch, keyEpoch].map((epoch) =>
    keys.keyring.find((known) => known.keyEpoch === epoch),
  );
  if (!before || !next) throw new KeysMissingError(`not all keys of key epoch ${keyEpoch} are here`);
  if (!compromised) return { ...inForce, keyEpoch, wrapped: wrapKeys(next, before, config.vaultId) };
  const { without, cloudSigning, approval } = compromised;
  return {
    kind: 'keys',
    keyEpoch,
    writers: inForce.writers
      .filter(({ writer }) => !without.includes(writer))
      .map((row) =>
        row.writer === cloud.writer
          ? { writer: row.writer, zone: row.zone, publicKey: cloudSigning.publicKey, oldKey: cloud.publicKey }
          : row,
      ),
    approvers: inForce.approvers.map((row) =>
      row.approver === config.approver ? { ...row, publicKey: approval.publicKey } : row,
    ),
  };
}
