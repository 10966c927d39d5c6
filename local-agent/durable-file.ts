import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

const TEMP_END = '.tmp';
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK']);

/**
 * Writes a file that must not exist yet, whole or not at all: temp file, fsync, link, fsync of the folder.
 *
 * @returns `exists` and nothing changed when there is one.
 */
export async function writeNewFile(
  file: string,
  bytes: string | Uint8Array,
  mode = 0o644,
): Promise<'written' | 'exists'> {
  const temp = await writeTemp(file, bytes, mode);
  try {
    await linkOrRename(temp, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'exists';
    throw error;
  } finally {
    await rm(temp, { force: true });
  }
  await syncFolder(path.dirname(file));
  return 'written';
}

/** Replaces a file in one step: a reader, or a crash, sees the old bytes or the new ones. */
export async function replaceFile(file: string, bytes: string | Uint8Array, mode = 0o644): Promise<void> {
  const temp = await writeTemp(file, bytes, mode);
  try {
    await rename(temp, file);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}

/** The same for the few that cannot wait: when this returns, the new bytes are durable. */
export function replaceFileNow(file: string, bytes: string | Uint8Array, mode = 0o644): void {
  const temp = tempOf(file);
  try {
    writeFileSync(temp, bytes, { flag: 'wx', mode, flush: true });
    renameSync(temp, file);
  } catch (error) {
    rmSync(temp, { force: true });
    throw error;
  }
  if (process.platform === 'win32') return;
  const folder = openSync(path.dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Removes what a process that was killed left of its tries to write this file. Only where no other process
 * can be writing it.
 */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = path.dirname(file);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (name.startsWith(tempPrefix(file)) && name.endsWith(TEMP_END))
      await rm(path.join(folder, name), { force: true });
  }
}

async function writeTemp(file: string, bytes: string | Uint8Array, mode: number): Promise<string> {
  const temp = tempOf(file);
  const handle = await open(temp, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return temp;
}

function tempOf(file: string): string {
  return path.join(path.dirname(file), `${tempPrefix(file)}${randomUUID()}${TEMP_END}`);
}

/** The dot keeps it out of every sync. */
function tempPrefix(file: string): string {
  return `.${path.basename(file)}.~`;
}

/** A link never replaces; where the file system has none, looking first is the best there is. */
async function linkOrRename(temp: string, file: string): Promise<void> {
  try {
    await link(temp, file);
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    if (await exists(file)) throw Object.assign(new Error(`${file} exists`), { code: 'EEXIST' });
    await rename(temp, file);
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Makes the name durable, where the system lets a folder be opened (Windows does not). */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (process.platform !== 'win32') throw error;
  }
}
