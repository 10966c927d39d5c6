import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { outputPaths, repositoryDir } from './paths.ts';

/**
 * Digest over names and contents of files, and of all files below folders; a path that does not exist counts as
 * absent.
 *
 * @param paths absolute, or relative to the repository
 * @param more further text that the digest depends on
 * @returns SHA-256 in hex
 */
export async function fingerprint(paths: readonly string[], ...more: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const files = (await Promise.all(paths.map((path) => filesBelow(resolve(repositoryDir, path)))))
    .flat()
    .sort();
  const contents = await Promise.all(files.map((file) => readFile(file)));
  for (const [index, file] of files.entries()) {
    const content = contents[index];
    hash.update(`${file.slice(repositoryDir.length)}\0${content?.byteLength ?? 0}\0`).update(content ?? '');
  }
  for (const part of more) hash.update(`\0${part}`);
  return hash.digest('hex');
}

/**
 * Runs `work` while no other process that builds here does. The lock is a SQLite transaction, which the operating
 * system ends with the process, so a killed build leaves nothing to clean up.
 */
export async function withBuildLock<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(outputPaths.cacheDir, { recursive: true });
  const lock = new DatabaseSync(join(outputPaths.cacheDir, 'build-lock.sqlite'), { timeout: 0 });
  try {
    while (!tryBegin(lock)) await setTimeout(50);
    return await work();
  } finally {
    lock.close();
  }
}

/**
 * Fills a folder anew: `write` gets an empty one, which takes the place of `target` once it is complete. Nobody sees
 * a half-written folder, and a failed attempt leaves the old one.
 */
export async function replaceFolder(target: string, write: (folder: string) => Promise<void>): Promise<void> {
  await mkdir(outputPaths.cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(outputPaths.cacheDir, `${basename(target)}-`));
  try {
    const fresh = join(scratch, 'new');
    await mkdir(fresh);
    await write(fresh);
    await mkdir(dirname(target), { recursive: true });
    if (await exists(target)) await rename(target, join(scratch, 'old'));
    await rename(fresh, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function tryBegin(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    // SQLITE_BUSY: another build holds the lock.
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return false;
    throw error;
  }
}

async function filesBelow(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (found.isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
