import { z } from 'zod';
import { jsonOf } from '#protocol/json-of.ts';
import { Keyring } from '#protocol/seal.ts';
import { SigningKey } from '#protocol/signing.ts';
import type { EmployeeConfig } from './config.ts';
import { writeNewFile } from './durable-file.ts';
import { UsageError } from './exit-codes.ts';
import { createKeyStore } from './key-store.ts';
import type { KeyStore } from './key-store.ts';
import { keysFileOf, readPrivately } from './keys.ts';

/** What one machine of the owner gives to another: everything but the key that it signs with itself. */
const HandOver = z.strictObject({
  purpose: z.literal('ai-employee/keys/v1'),
  vaultId: z.string(),
  approval: SigningKey,
  keyring: Keyring,
});

/**
 * Writes the vault keys and the approver's key into a new file that nobody else can read.
 *
 * @returns the key epochs in it.
 * @throws {UsageError} when the file exists, or a rotation is not in force yet.
 */
export async function exportKeys(
  configFile: string,
  config: EmployeeConfig,
  file: string,
): Promise<number[]> {
  const store = createKeyStore(keysFileOf(configFile));
  const { text, keyEpochs } = handOverOf(store, config.vaultId);
  if ((await writeNewFile(file, text, 0o600)) === 'exists') {
    throw new UsageError(`${file} exists: name a new file`);
  }
  return keyEpochs;
}

/**
 * The text of such a file, and the key epochs in it.
 *
 * @throws {UsageError} when a rotation is not in force yet.
 */
export function handOverOf(
  store: KeyStore,
  vaultId: string,
): { readonly text: string; readonly keyEpochs: number[] } {
  const { keyring, approval, rotation } = store.read();
  const pending = keyring.find(({ keyEpoch }) => keyEpoch === rotation?.keyEpoch);
  if (pending && !pending.from) {
    throw new UsageError(
      'a rotation of the keys was begun and is not in force: run "employee keys rotate" first',
    );
  }
  const text = JSON.stringify({
    purpose: 'ai-employee/keys/v1',
    vaultId,
    approval: rotation?.compromised?.approval ?? approval,
    keyring,
  } satisfies z.infer<typeof HandOver>);
  return { text: `${text}\n`, keyEpochs: keyring.map(({ keyEpoch }) => keyEpoch) };
}

/**
 * Takes the vault keys and the approver's key of such a file into this machine's own, whose signing key stays.
 * The caller holds the lock. Doing it again changes nothing.
 *
 * @returns the key epochs that are new here.
 * @throws {UsageError} when the file is none of this vault. {@link KeysError} when others can read it.
 */
export async function importKeys(
  configFile: string,
  config: EmployeeConfig,
  file: string,
): Promise<number[]> {
  const store = createKeyStore(keysFileOf(configFile));
  return takeHandedOver(store, config.vaultId, await readPrivately(file), file);
}

/**
 * The same with the text of the file.
 *
 * @throws {UsageError} as `importKeys`.
 */
export function takeHandedOver(store: KeyStore, ofVault: string, text: string, file: string): number[] {
  const parsed = HandOver.safeParse(jsonOf(text));
  if (!parsed.success) throw new UsageError(`${file} is no file that "employee keys export" wrote`);
  const { vaultId, keyring } = parsed.data;
  const mine = store.read();
  const known = new Map(mine.keyring.map((keys) => [keys.keyEpoch, keys]));
  const newest = Math.max(...known.keys());
  // A file of an earlier rotation, which comes late, has the approver's key of its time.
  const isOlder = keyring.every(({ keyEpoch }) => keyEpoch < newest);
  const approval = isOlder ? mine.approval : parsed.data.approval;
  const differs = keyring.some(({ keyEpoch, shared }) => (known.get(keyEpoch)?.shared ?? shared) !== shared);
  if (vaultId !== ofVault || differs) throw new UsageError(`${file} holds keys of another vault`);
  const fresh = keyring.filter(({ keyEpoch }) => !known.has(keyEpoch)).map(({ keyEpoch }) => keyEpoch);
  if (fresh.length === 0 && approval.publicKey === mine.approval.publicKey) return [];
  store.backUp(`epoch-${newest}`);
  for (const keys of keyring) known.set(keys.keyEpoch, { ...known.get(keys.keyEpoch), ...keys });
  store.write({ ...mine, approval, keyring: [...known.values()].sort((a, b) => a.keyEpoch - b.keyEpoch) });
  return fresh;
}
