import type { CloudSecret } from '#protocol/cloud-secret.ts';
import type { KeysBody } from '#protocol/ledger-body.ts';
import type { LedgerSession } from '#protocol/ledger-session.ts';
import type { PublicKey } from '#protocol/signing.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { signingKeysOf, withoutOldKey } from '#protocol/writer-keys.ts';
import { RotationRefusedError } from './rotation-refused.ts';

/** The ledger as one writer reads and continues it. */
export type ZoneLedger = Pick<LedgerSession, 'state' | 'pull' | 'append'>;

/**
 * Brings a new key of the writer into force beside the one it has. Whatever else was in force is replaced: a new
 * key of an earlier rotation that came no further, or the old one of the last.
 *
 * @throws {RotationRefusedError} when the secret's own key is not in force, or readers do not take the new one.
 */
export async function bringIn(ledger: ZoneLedger, secret: CloudSecret, publicKey: PublicKey): Promise<void> {
  await requireInForce(ledger, secret);
  const { writer, signing } = secret;
  const wanted = [publicKey, signing.publicKey];
  await ledger.append((state) => {
    if (hasKeys(state, writer, wanted)) return undefined;
    return withKeys(state, writer, { publicKey, oldKey: signing.publicKey });
  });
  if (hasKeys(ledger.state, writer, wanted)) return;
  throw new RotationRefusedError('the ledger did not take the new key');
}

/**
 * Takes the old key of the writer out of force, if the secret's is the new one. An old one beside a newer key than
 * the secret's is left alone: that is the next rotation.
 */
export async function dropOld(ledger: ZoneLedger, secret: CloudSecret): Promise<void> {
  await ledger.pull();
  const { writer, signing } = secret;
  await ledger.append(({ keys }) => {
    const body = keys && withoutOldKey(keys, writer, signing.publicKey);
    return body && { body };
  });
}

/**
 * Reads the ledger to its end with the secret's keys, and checks that its signing key is in force.
 *
 * @throws {RotationRefusedError}; what reading throws where the secret lacks the vault keys in force.
 */
export async function requireInForce(ledger: ZoneLedger, secret: CloudSecret): Promise<void> {
  await ledger.pull();
  const { keys } = ledger.state;
  if (!signingKeysOf(keys, secret.writer).includes(secret.signing.publicKey)) {
    throw new RotationRefusedError(`the ledger does not know this key of ${secret.writer}`);
  }
}

function hasKeys(state: VaultState, writer: string, wanted: readonly PublicKey[]): boolean {
  const keys = signingKeysOf(state.keys, writer);
  return keys.length === wanted.length && keys.every((key, index) => key === wanted[index]);
}

function withKeys(
  { keys }: VaultState,
  writer: string,
  own: { readonly publicKey: PublicKey; readonly oldKey: PublicKey },
): { body: KeysBody } | undefined {
  if (keys === undefined) return undefined;
  const writers = keys.writers.map((row) =>
    row.writer === writer ? { writer, zone: row.zone, ...own } : row,
  );
  return { body: { ...keys, writers } };
}
