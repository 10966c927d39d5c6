import { mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { EmployeeError } from '#protocol/errors.ts';
import { VAULT_FOLDERS } from '#protocol/vault-path.ts';
import { removeLeftovers, writeNewFile } from './durable-file.ts';
import { PersonNeededError } from './exit-codes.ts';
import { SENTINEL } from './sync/sentinel.ts';

const STARTER = path.resolve(import.meta.dirname, '..', 'examples', 'vault');
const SentinelText = z.looseObject({ vaultId: z.string().min(1).max(100) });

/** `employee init` would have to undo or replace something that it must not touch. Nothing was changed. */
export class InitRefusedError extends EmployeeError {
  static override readonly code = 'INIT_REFUSED';
}

/** What a folder is, before it becomes the vault. */
export type VaultFolder = 'new' | 'empty' | 'obsidian' | 'ours' | 'other';

/**
 * Looks at the folder that is to be the vault.
 *
 * @throws {InitRefusedError} when it can never be this vault: a file, the home folder, another vault, or
 * a place that would put the keys inside it.
 * @throws {PersonNeededError} when it holds files and is no Obsidian vault, unless `adopt`.
 */
export async function inspectVaultFolder(
  folder: string,
  known: { readonly vaultId: string | undefined; readonly configFile: string; readonly adopt: boolean },
): Promise<VaultFolder> {
  const found = await stat(folder).catch(() => undefined);
  if (found && !found.isDirectory()) throw new InitRefusedError(`${folder} is a file: a vault is a folder`);
  const place = found ? await realpath(folder) : folder;
  const configFolder = await realpath(path.dirname(known.configFile)).catch(() =>
    path.dirname(known.configFile),
  );
  if (isInside(configFolder, place)) {
    throw new InitRefusedError(
      `the keys in ${configFolder} would lie inside the vault ${folder}, which is synced: choose another --vault or --config`,
    );
  }
  if (isInside(os.homedir(), place)) {
    throw new InitRefusedError(
      `${folder} holds your whole home folder: name a folder of its own for the vault`,
    );
  }
  if (!found) return 'new';
  const id = await sentinelId(folder);
  if (id !== undefined && id !== known.vaultId) {
    throw new InitRefusedError(
      `${folder} is already the vault of another set-up (${id}): name another folder, or the config that belongs to it`,
    );
  }
  if (id !== undefined) return 'ours';
  const names = await readdir(folder);
  if (names.includes('.obsidian')) return 'obsidian';
  // What begins with a dot is never synced, and may be what a killed init left of its sentinel.
  if (names.every((name) => name.startsWith('.'))) return 'empty';
  if (!known.adopt) {
    throw new PersonNeededError(
      `${folder} holds files and is no Obsidian vault. If everything in it is to be synced (encrypted), say so with --adopt; ` +
        'otherwise name an empty or new folder',
    );
  }
  return 'other';
}

/** Marks the folder as this vault and makes the folders that have a meaning. Nothing is replaced. */
export async function makeVaultFolders(folder: string, vaultId: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeOnce(path.join(folder, SENTINEL), `${JSON.stringify({ vaultId })}\n`);
  for (const name of VAULT_FOLDERS) await mkdir(path.join(folder, name), { recursive: true });
}

/**
 * Adds the starter files that are not there yet.
 *
 * @returns the vault paths of those that were added.
 */
export async function addStarterFiles(folder: string): Promise<string[]> {
  const added: string[] = [];
  const items = await readdir(STARTER, { recursive: true, withFileTypes: true });
  for (const item of items.filter((candidate) => candidate.isFile())) {
    const source = path.join(item.parentPath, item.name);
    const relative = path.relative(STARTER, source);
    const target = path.join(folder, relative);
    await mkdir(path.dirname(target), { recursive: true });
    const outcome = await writeOnce(target, await readFile(source));
    if (outcome === 'written') added.push(relative.split(path.sep).join('/'));
  }
  return added.sort();
}

async function writeOnce(file: string, bytes: string | Uint8Array): Promise<'written' | 'exists'> {
  await removeLeftovers(file);
  return writeNewFile(file, bytes);
}

async function sentinelId(folder: string): Promise<string | undefined> {
  const file = path.join(folder, SENTINEL);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return SentinelText.parse(JSON.parse(text)).vaultId;
  } catch (cause) {
    throw new InitRefusedError(
      `${file} is damaged: it should hold {"vaultId":"…"}; remove it and run init again`,
      { cause },
    );
  }
}

function isInside(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative));
}
