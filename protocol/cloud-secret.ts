import { z } from 'zod';
import { WriterName } from './ids.ts';
import { Keyring } from './seal.ts';
import { PublicKey, SigningKey } from './signing.ts';

/**
 * The one secret of the cloud zone: its name as a writer, its signing key, the shared vault keys (never
 * a private one), and the key that the ledger's first entry must be signed with.
 */
export const CloudSecret = z.strictObject({
  vaultId: z.string().min(1).max(100),
  writer: WriterName,
  signing: SigningKey,
  keyring: Keyring.refine(
    (rings) => rings.every((keys) => keys.private === undefined),
    'holds a private vault key',
  ),
  root: PublicKey,
});
export type CloudSecret = z.infer<typeof CloudSecret>;
