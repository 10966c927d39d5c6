import { createHash } from 'node:crypto';
import type { AgentKeys } from '#local-agent/keys.ts';
import type { Keyring } from '#protocol/seal.ts';
import { SigningKey } from '#protocol/signing.ts';
import { ed25519Of } from '../kernel/seeded-key.ts';

export const VAULT_ID = 'vault-of-the-simulation';

const signingKeys = new Map<string, SigningKey>();

/**
 * The signing key with which a writer or approver begins: always the same one, so that a run depends on nothing but its
 * seed.
 */
export function signingKeyOf(name: string): SigningKey {
  const known = signingKeys.get(name);
  if (known) return known;
  const jwk = ed25519Of(digest(`signing/${name}`)).export({ format: 'jwk' });
  const made = SigningKey.parse({ publicKey: jwk.x, privateKey: jwk.d });
  signingKeys.set(name, made);
  return made;
}

/** The vault keys of the owner's machines, before any rotation. */
export const OWN_KEYRING = [
  {
    keyEpoch: 1,
    shared: digest('shared').toString('base64url'),
    private: digest('private').toString('base64url'),
  },
] as const satisfies Keyring;

/** The keys with which a machine begins. */
export function firstKeysOf(machine: string): AgentKeys {
  return { signing: signingKeyOf(machine), approval: signingKeyOf('owner'), keyring: [...OWN_KEYRING] };
}

/** The cloud zone's one secret, before any rotation. */
export function firstCloudSecret(): string {
  return JSON.stringify({
    vaultId: VAULT_ID,
    writer: 'cloud',
    signing: signingKeyOf('cloud'),
    keyring: OWN_KEYRING.map(({ keyEpoch, shared }) => ({ keyEpoch, shared })),
    root: signingKeyOf('laptop').publicKey,
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(`simulation/${text}`).digest();
}
