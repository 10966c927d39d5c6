import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** PKCS#8 of an Ed25519 key (RFC 8410), up to its 32 bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The Ed25519 key of these 32 bytes. */
export function ed25519Of(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}
