import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { sha256Hex } from '#protocol/canonical.ts';
import { EmployeeError } from '#protocol/errors.ts';
import type { Files, FileStat } from '#protocol/ports.ts';
import { VaultPath } from '#protocol/vault-path.ts';

const TEMP_PREFIX = '.~employee-';

/** A path leads out of the vault, through a link, or is no path a vault may have. */
export class UnsafePathError extends EmployeeError {
  static override readonly code = 'UNSAFE_PATH';
}

/** The vault folder is not there, or is no folder. */
export class VaultMissingError extends EmployeeError {
  static override readonly code = 'VAULT_MISSING';
}

/**
 * The `Files` port on a real folder. Links are never followed, neither as files nor as folders; names
 * that begin with a dot (`.git`, `.obsidian`, our temp files) are not seen.
 *
 * @param root absolute path of the vault.
 */
export function createNodeFiles(root: string): Files {
  const resolve = async (vaultPath: string, makeFolders: boolean): Promise<string> => {
    if (!VaultPath.safeParse(vaultPath).success) {
      throw new UnsafePathError(`${JSON.stringify(vaultPath)} is not a path inside the vault`);
    }
    const parts = vaultPath.split('/');
    let folder = root;
    for (const part of parts.slice(0, -1)) {
      folder = path.join(folder, part);
      const stat = await lstatOrNothing(folder);
      if (stat && !stat.isDirectory())
        throw new UnsafePathError(`${folder} is not a folder (a link, perhaps)`);
      if (!stat && makeFolders) await mkdir(folder, { recursive: false }).catch(ignoreExisting);
    }
    return path.join(root, ...parts);
  };
  const readAt = async (file: string): Promise<Uint8Array | undefined> => {
    try {
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        return await handle.readFile();
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return undefined;
      if (isCode(error, 'ELOOP')) throw new UnsafePathError(`${file} is a link`, { cause: error });
      throw error;
    }
  };
  const hashAt = async (file: string): Promise<string | null> => {
    const bytes = await readAt(file);
    return bytes ? sha256Hex(bytes) : null;
  };
  return {
    async list() {
      const stat = await lstatOrNothing(root);
      if (!stat?.isDirectory()) {
        throw new VaultMissingError(
          `the vault folder ${root} is not there; nothing was changed. Is its disk mounted?`,
        );
      }
      const found: FileStat[] = [];
      await walk(root, '', found);
      return found;
    },
    async read(vaultPath) {
      return readAt(await resolve(vaultPath, false));
    },
    async write(vaultPath, bytes, expected) {
      const file = await resolve(vaultPath, true);
      const temp = path.join(path.dirname(file), `${TEMP_PREFIX}${randomBytes(8).toString('hex')}.tmp`);
      try {
        const handle = await open(temp, 'wx', 0o644);
        try {
          await handle.writeFile(bytes);
          await handle.sync();
        } finally {
          await handle.close();
        }
        if ((await hashAt(file)) !== expected) return 'changed';
        // A link cannot replace a file that came into being since the look; a rename would.
        if (expected === null) await link(temp, file);
        else await rename(temp, file);
        await syncFolder(path.dirname(file));
        return 'written';
      } catch (error) {
        if (isCode(error, 'EEXIST')) return 'changed';
        throw error;
      } finally {
        await unlink(temp).catch(() => undefined);
      }
    },
    async move(from, to, expected) {
      const [source, target] = [await resolve(from, false), await resolve(to, true)];
      if ((await hashAt(source)) !== expected) return 'changed';
      try {
        await link(source, target);
      } catch (error) {
        if (isCode(error, 'EEXIST') || isCode(error, 'ENOENT')) return 'changed';
        throw error;
      }
      await unlink(source);
      await syncFolder(path.dirname(target));
      return 'moved';
    },
    async remove(vaultPath, expected) {
      const file = await resolve(vaultPath, false);
      if ((await hashAt(file)) !== expected) return 'changed';
      await unlink(file);
      return 'removed';
    },
  };
}

async function walk(folder: string, prefix: string, found: FileStat[]): Promise<void> {
  for (const item of await readdir(folder, { withFileTypes: true })) {
    if (item.name.startsWith('.')) continue;
    const vaultPath = `${prefix}${item.name}`;
    const file = path.join(folder, item.name);
    if (item.isDirectory()) {
      found.push({ path: vaultPath, kind: 'folder', sizeBytes: 0, modifiedMs: 0 });
      // Gone since the look, or its name is no text: nothing in it can be named.
      await walk(file, `${vaultPath}/`, found).catch(ignoreMissing);
      continue;
    }
    const stat = await lstatOrNothing(file);
    if (!stat) continue;
    const kind = stat.isFile() ? 'file' : stat.isSymbolicLink() ? 'link' : 'other';
    found.push({ path: vaultPath, kind, sizeBytes: stat.size, modifiedMs: stat.mtimeMs });
  }
}

async function lstatOrNothing(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** A rename is durable only when its folder is (fsync of a directory; not possible on Windows). */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function ignoreMissing(error: unknown): void {
  if (!isCode(error, 'ENOENT')) throw error;
}

function ignoreExisting(error: unknown): void {
  if (!isCode(error, 'EEXIST')) throw error;
}
