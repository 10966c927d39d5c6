import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';

const Base64Url32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'not a 32-byte key');

/** An Ed25519 public key: its 32 bytes in base64url (the `x` of RFC 8037). */
export const PublicKey = Base64Url32;
export type PublicKey = z.infer<typeof PublicKey>;

/** An Ed25519 key pair, both halves in base64url (`x` and `d` of RFC 8037). */
export const SigningKey = z.strictObject({ publicKey: PublicKey, privateKey: Base64Url32 });
export type SigningKey = z.infer<typeof SigningKey>;

// Importing a key costs ten times a verification, and the same few keys verify every entry.
const publicKeys = new Map<string, KeyObject>();
const privateKeys = new Map<string, KeyObject>();

/** A new Ed25519 key pair (RFC 8032). */
export function newSigningKey(): SigningKey {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return SigningKey.parse({ publicKey: jwk.x, privateKey: jwk.d });
}

/** Ed25519 signature of a text's UTF-8 bytes, base64. */
export function signText(text: string, key: SigningKey): string {
  return sign(null, Buffer.from(text), privateKeyObject(key)).toString('base64');
}

/** Whether `signature` (base64) is of this text by the holder of the key. Never throws on bad input. */
export function verifyText(text: string, signature: string, publicKey: PublicKey): boolean {
  try {
    const bytes = Buffer.from(signature, 'base64');
    // One spelling only: another one of the same bytes would give the same entry a second hash.
    if (bytes.toString('base64') !== signature) return false;
    return verify(null, Buffer.from(text), publicKeyObject(publicKey), bytes);
  } catch {
    return false;
  }
}

/** The same as `verifyText`, off the main thread, so that many are checked on all cores. */
export function verifyTextApart(text: string, signature: string, publicKey: PublicKey): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const bytes = Buffer.from(signature, 'base64');
      if (bytes.toString('base64') !== signature) resolve(false);
      else
        verify(null, Buffer.from(text), publicKeyObject(publicKey), bytes, (error, good) =>
          resolve(!error && good),
        );
    } catch {
      resolve(false);
    }
  });
}

function publicKeyObject(x: PublicKey): KeyObject {
  return cached(publicKeys, x, () =>
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
  );
}

function privateKeyObject(key: SigningKey): KeyObject {
  return cached(privateKeys, key.privateKey, () =>
    createPrivateKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: key.publicKey, d: key.privateKey },
      format: 'jwk',
    }),
  );
}

function cached(map: Map<string, KeyObject>, name: string, make: () => KeyObject): KeyObject {
  const known = map.get(name);
  if (known) return known;
  const made = make();
  map.set(name, made);
  return made;
}
