import {
  createCipheriv,
  createSecretKey,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { SealError } from './errors.ts';
import { Sha256 } from './ids.ts';

/** Which vault key closes a text: `shared` (both zones) or `private` (the owner's machines only). */
export const Ring = z.enum(['shared', 'private']);
export type Ring = z.infer<typeof Ring>;

const VaultKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'not a 32-byte key');

/**
 * The vault keys of one key epoch. The cloud's ring has no private key. `from` is the entry of the ledger with
 * which they came into force; without it they are at hand and wait, but for those of the first epoch.
 */
export const VaultKeys = z.strictObject({
  keyEpoch: z.int().positive(),
  shared: VaultKey,
  private: VaultKey.optional(),
  from: z.strictObject({ n: z.int().positive(), hash: Sha256 }).optional(),
});
export type VaultKeys = z.infer<typeof VaultKeys>;

/** All key epochs at hand, to read with; `currentKeys` says which one writes. */
export const Keyring = z.array(VaultKeys).min(1);
export type Keyring = z.infer<typeof Keyring>;

const VERSION = 1;
const SALT_BYTES = 32;
const COMMITMENT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + SALT_BYTES + COMMITMENT_BYTES + IV_BYTES;

/** How much longer a sealed text is than its plaintext. */
export const SEAL_OVERHEAD_BYTES = HEAD_BYTES + TAG_BYTES;

/** A new random vault key of 32 bytes, base64url. */
export function newVaultKey(): string {
  return randomBytes(32).toString('base64url');
}

/** The keys to write with: those of the latest key epoch that is in force, as far as this zone knows. */
export function currentKeys(keyring: Keyring): VaultKeys {
  const first = keyring.reduce((lowest, keys) => (keys.keyEpoch < lowest.keyEpoch ? keys : lowest));
  return keyring
    .filter(({ from }) => from !== undefined)
    .reduce((latest, keys) => (keys.keyEpoch > latest.keyEpoch ? keys : latest), first);
}

/** The key of a ring in a key epoch, or `undefined` if this zone does not hold it. */
export function vaultKey(keyring: Keyring, ring: Ring, keyEpoch: number): string | undefined {
  return keyring.find((keys) => keys.keyEpoch === keyEpoch)?.[ring];
}

/**
 * Seals bytes: a key of its own for each text by HKDF-SHA-256 over a random salt, AES-256-GCM, and a
 * commitment to the key, so that no second key opens the same text to something else.
 * Layout: version 1 | salt 32 | commitment 32 | iv 12 | ciphertext | tag 16.
 *
 * @param context bound to the text, not stored: opening needs the same one.
 */
export function seal(key: string, plaintext: Uint8Array, context: string): Buffer {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const { secret, commitment } = derive(key, salt);
  const cipher = createCipheriv('aes-256-gcm', secret, iv);
  cipher.setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), salt, commitment, iv, body, cipher.getAuthTag()]);
}

/**
 * Opens what `seal` closed.
 *
 * @throws {SealError} when the key, the context or a single bit is another.
 */
export function open(key: string, sealed: Uint8Array, context: string): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < SEAL_OVERHEAD_BYTES || bytes[0] !== VERSION) {
    throw new SealError('not a sealed text of a known version');
  }
  const salt = bytes.subarray(1, 1 + SALT_BYTES);
  const commitment = bytes.subarray(1 + SALT_BYTES, HEAD_BYTES - IV_BYTES);
  const derived = derive(key, salt);
  if (!timingSafeEqual(commitment, derived.commitment)) throw new SealError('sealed with another key');
  try {
    const decipher = createDecipheriv(
      'aes-256-gcm',
      derived.secret,
      bytes.subarray(HEAD_BYTES - IV_BYTES, HEAD_BYTES),
    );
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const plain = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
    // Checks the tag; there is no text left to come in this mode.
    decipher.final();
    return plain;
  } catch (cause) {
    throw new SealError('the sealed text was altered or belongs elsewhere', { cause });
  }
}

/** The name of a blob: HMAC-SHA-256 of its plaintext, so that the store cannot guess contents by hash. */
export function blobIdOf(key: string, plaintext: Uint8Array): string {
  return createHmac('sha256', Buffer.from(key, 'base64url'))
    .update('blob/v1\0')
    .update(plaintext)
    .digest('hex');
}

/** The name of a pack: it follows from the blobs in it and their order, and from nothing else. */
export function packIdOf(key: string, blobs: readonly string[]): string {
  return createHmac('sha256', Buffer.from(key, 'base64url')).update(`pack/v1\0${blobs.join()}`).digest('hex');
}

// The same few keys open everything, and importing one costs as much as using it.
const secrets = new Map<string, KeyObject>();

function secretOf(key: string): KeyObject {
  const known = secrets.get(key) ?? createSecretKey(Buffer.from(key, 'base64url'));
  secrets.set(key, known);
  return known;
}

function derive(key: string, salt: Uint8Array): { secret: Buffer; commitment: Buffer } {
  const bytes = Buffer.from(hkdfSync('sha256', secretOf(key), salt, 'ai-employee/seal/v1', 64));
  return { secret: bytes.subarray(0, 32), commitment: bytes.subarray(32) };
}
