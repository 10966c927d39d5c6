import { createHash, createPrivateKey } from 'node:crypto';
import type { Keyring } from '#protocol/seal.ts';
import { SigningKey } from '#protocol/signing.ts';

export const VAULT_ID = 'vault-of-the-simulation';

/** PKCS#8 of an Ed25519 key (RFC 8410), up to its 32 bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

const signingKeys = new Map<string, SigningKey>();

/** The signing key of a writer or approver: always the same one, so that a run depends on nothing but its seed. */
export function signingKeyOf(name: string): SigningKey {
  const known = signingKeys.get(name);
  if (known) return known;
  const der = Buffer.concat([PKCS8, digest(`signing/${name}`)]);
  const jwk = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  const made = SigningKey.parse({ publicKey: jwk.x, privateKey: jwk.d });
  signingKeys.set(name, made);
  return made;
}

/** The vault keys of the owner's machines. */
export const OWN_KEYRING = [
  {
    keyEpoch: 1,
    shared: digest('shared').toString('base64url'),
    private: digest('private').toString('base64url'),
  },
] as const satisfies Keyring;

/** What of them the cloud holds. */
export const CLOUD_KEYRING: Keyring = OWN_KEYRING.map(({ keyEpoch, shared }) => ({ keyEpoch, shared }));

function digest(text: string): Buffer {
  return createHash('sha256').update(`simulation/${text}`).digest();
}
