import type { Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { FileStat } from '#protocol/ports.ts';
import { OWN_PREFIX } from './aside.ts';
import { codeOf, diskError, DiskError, VaultMissingError } from './disk-error.ts';
import { openFolder } from './folder.ts';
import type { Root } from './folder.ts';
import { recoverFolder } from './recover.ts';

/** So many names take a few milliseconds; then others have their turn. */
const SLICE = 4000;
const NOT_TEXT = '\ufffd';

interface Walk {
  readonly root: Root;
  readonly busy: Set<string>;
  readonly found: FileStat[];
  /** The time at which it began: files may change behind it. */
  readonly nowMs: number;
  untilPause: number;
}

/**
 * All files and folders of the vault whose names do not begin with a dot, folders before what is in them.
 * Bodies are not read. Names are looked up by path, which is faster; what is found by a link that somebody
 * puts in the way meanwhile cannot be read afterwards.
 *
 * @throws {VaultMissingError} {@link DiskError} when the vault's own folder cannot be read.
 */
export async function listFiles(root: Root, busy: Set<string>): Promise<FileStat[]> {
  const walk: Walk = { root, busy, found: [], nowMs: Date.now(), untilPause: SLICE };
  try {
    await walkFolder(walk, root.path, []);
  } catch (error) {
    throw diskError(root.path, 'read', error);
  }
  return walk.found;
}

/** What is known of one name, at `nowMs` by this machine's clock. */
export function fileStat(path: string, stat: Stats, nowMs: number): FileStat {
  const kind = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'folder'
      : stat.isSymbolicLink()
        ? 'link'
        : 'other';
  return {
    path,
    kind,
    sizeBytes: stat.size,
    modifiedMs: stat.mtimeMs,
    changedMs: stat.ctimeMs,
    // The number of a file that was removed is given to the next new one: its birth tells them apart.
    fileId: Number.isSafeInteger(stat.ino) ? `${stat.ino}.${stat.birthtimeMs}` : '',
    settled: isSettled(nowMs - stat.ctimeMs, stat.ctimeMs),
  };
}

/** Whole seconds are the stamps of old disks (FAT: even ones); others count in 16 ms at most. */
function isSettled(ageMs: number, changedMs: number): boolean {
  // Of a clock that was set back since. What a server's clock is ahead is less.
  if (ageMs < -60_000) return true;
  return ageMs > (changedMs % 1000 === 0 ? 2100 : 100);
}

async function walkFolder(walk: Walk, folder: string, parts: readonly string[]): Promise<void> {
  const { found } = walk;
  const prefix = parts.map((part) => `${part}/`).join('');
  let names = namesIn(walk, folder, parts);
  if (names.some((name) => name.startsWith(OWN_PREFIX))) {
    await recover(walk, parts, prefix, names);
    names = namesIn(walk, folder, parts);
  }
  for (const name of names) {
    if (name.startsWith('.')) continue;
    const path = `${prefix}${name}`;
    const stat = statOrWhy(walk, `${folder}/${name}`, path);
    if (stat === undefined && name.includes(NOT_TEXT))
      found.push({ ...NOTHING, path, problem: 'its name is not UTF-8; rename it' });
    if (typeof stat === 'string') {
      found.push({ ...NOTHING, path, problem: stat });
      continue;
    }
    if (!stat) continue;
    found.push(fileStat(path, stat, walk.nowMs));
    walk.untilPause -= 1;
    if (walk.untilPause <= 0) {
      walk.untilPause = SLICE;
      await setImmediate();
    }
    if (stat.isDirectory()) await walkFolder(walk, `${folder}/${name}`, [...parts, name]);
  }
}

/** What the disk says of a name, or why it does not: that is no reason to give up the others. */
function statOrWhy({ root }: Walk, file: string, path: string): Stats | string | undefined {
  try {
    return root.disk.lstat(file);
  } catch (error) {
    const known = diskError(path, 'looked at', error);
    if (!(known instanceof DiskError)) throw known;
    return unread(known);
  }
}

function unread({ words }: DiskError): string {
  return `it cannot be read (${words})`;
}

/** In place of what was said of it when the folder above was read. */
function unreadFolder(found: FileStat[], path: string, error: DiskError): void {
  const known = found.findLastIndex((stat) => stat.path === path);
  if (known >= 0) found.splice(known, 1);
  found.push({ ...NOTHING, path, kind: 'folder', problem: unread(error) });
}

const NOTHING = {
  kind: 'other',
  sizeBytes: 0,
  modifiedMs: 0,
  changedMs: 0,
  fileId: '',
  settled: false,
} as const;

function namesIn({ root, found }: Walk, folder: string, parts: readonly string[]): string[] {
  try {
    return root.disk.names(folder);
  } catch (error) {
    const code = codeOf(error);
    const top = parts.length === 0;
    if (top && (code === 'ENOENT' || code === 'ENOTDIR'))
      throw new VaultMissingError(
        `the vault folder ${root.path} is not there; nothing was changed. Is its disk mounted?`,
      );
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    const known = diskError(top ? root.path : parts.join('/'), 'read', error);
    if (top || !(known instanceof DiskError)) throw known;
    unreadFolder(found, parts.join('/'), known);
    return [];
  }
}

async function recover(
  { root, busy, found }: Walk,
  parts: readonly string[],
  shown: string,
  names: readonly string[],
): Promise<void> {
  try {
    const folder = await openFolder(root, parts);
    if (!folder) return;
    try {
      const stranded = await recoverFolder({ disk: root.disk, folder, shown, busy }, names);
      for (const { name, why } of stranded) found.push({ ...NOTHING, path: `${shown}${name}`, problem: why });
    } finally {
      folder.close();
    }
  } catch (error) {
    const known = diskError(parts.join('/'), 'read', error);
    if (parts.length === 0 || !(known instanceof DiskError)) throw known;
    // What was put aside there has no name now: nothing may be concluded from what is missing.
    unreadFolder(found, parts.join('/'), known);
  }
}
