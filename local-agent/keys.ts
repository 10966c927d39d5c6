import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { EmployeeError } from '#protocol/errors.ts';
import { WriterName } from '#protocol/ids.ts';
import { Keyring, newVaultKey } from '#protocol/seal.ts';
import { newSigningKey, SigningKey } from '#protocol/signing.ts';
import { writeNewFile } from './durable-file.ts';

const OTHERS = 0o077;

/** A rotation of the vault keys that was begun here and is not complete: what it needs to go on. */
export const Rotation = z.strictObject({
  keyEpoch: z.int().positive(),
  /** Only after a compromise: the keys that others may have are not to open anything new. */
  compromised: z
    .strictObject({
      approval: SigningKey,
      cloudSigning: SigningKey,
      /** Machines that are not the owner's any more. */
      without: z.array(WriterName),
    })
    .optional(),
});
export type Rotation = z.infer<typeof Rotation>;

/**
 * The secrets of this machine: its signing key as a writer of the ledger, the approver's key, and the vault
 * keys of both rings. Beside the config, mode 0600, never inside the vault.
 */
export const AgentKeys = z.strictObject({
  signing: SigningKey,
  approval: SigningKey,
  keyring: Keyring.refine(
    (rings) => rings.every((keys) => keys.private !== undefined),
    'lacks a private vault key',
  ),
  rotation: Rotation.optional(),
});
export type AgentKeys = z.infer<typeof AgentKeys>;

/** The keys are missing, broken, or open to others. The message says what to do. Never holds a key. */
export class KeysError extends EmployeeError {
  static override readonly code = 'KEYS';
}

/** Where the keys of a config are. */
export function keysFileOf(configFile: string): string {
  return path.join(path.dirname(configFile), 'keys.json');
}

/**
 * Reads the keys in a file.
 *
 * @throws {KeysError} also when the file can be read by anybody but its owner.
 */
export async function loadKeys(file: string): Promise<AgentKeys> {
  return parseKeys(file, await readPrivately(file));
}

/**
 * The keys in the text of a file.
 *
 * @throws {KeysError}
 */
export function parseKeys(file: string, text: string): AgentKeys {
  const parsed = AgentKeys.safeParse(parseJson(file, text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new KeysError(
    `${file}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'invalid'}; put your backup of the keys back`,
  );
}

/**
 * Makes the keys unless there are some; those that exist are never replaced. Durable when this returns, so
 * that whatever refers to them afterwards refers to something.
 *
 * @throws {KeysError}
 */
export async function createKeys(
  file: string,
): Promise<{ readonly keys: AgentKeys; readonly created: boolean }> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const fresh: AgentKeys = {
    signing: newSigningKey(),
    approval: newSigningKey(),
    keyring: [{ keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() }],
  };
  const created = (await writeNewFile(file, keysText(fresh), 0o600)) === 'written';
  return { keys: await loadKeys(file), created };
}

/** Keys as a file holds them. */
export function keysText(keys: AgentKeys): string {
  return `${JSON.stringify(keys, null, 2)}\n`;
}

/**
 * The text of a file that nobody but its owner can read.
 *
 * @throws {KeysError}
 */
export async function readPrivately(file: string): Promise<string> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      throw new KeysError(
        `there are no keys at ${file}: run "employee init" for a new vault, or put your backup of the keys there`,
        { cause },
      );
    }
    throw new KeysError(`${file} cannot be read (${code ?? 'unknown'}): it must belong to you`, { cause });
  }
  try {
    const { mode } = await handle.stat();
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw new KeysError(`${file} can be read by others (mode ${shown}): run  chmod 600 '${file}'`);
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text, and the text is secret.
    throw new KeysError(`${file} is not JSON: put your backup of the keys back`);
  }
}
