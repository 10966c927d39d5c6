import type { Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { FileStat } from '#protocol/ports.ts';
import { OWN_PREFIX } from './aside.ts';
import { codeOf, diskError, DiskError, VaultMissingError } from './disk-error.ts';
import { openFolder } from './folder.ts';
import type { Root } from './folder.ts';
import { recoverFolder } from './recover.ts';
import type { Stranded } from './recover.ts';

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
  const { root, found } = walk;
  const prefix = parts.map((part) => `${part}/`).join('');
  let names = namesIn(walk, folder, parts);
  if (names.some((name) => name.startsWith(OWN_PREFIX))) {
    for (const { name, why } of await recover(walk, parts, prefix, names))
      found.push({ ...NOTHING, path: `${prefix}${name}`, problem: why });
    names = namesIn(walk, folder, parts);
  }
  for (const name of names) {
    if (name.startsWith('.')) continue;
    const path = `${prefix}${name}`;
    const stat = root.disk.lstat(`${folder}/${name}`);
    if (!stat) {
      if (name.includes(NOT_TEXT))
        found.push({ ...NOTHING, path, problem: 'its name is not UTF-8; rename it' });
      continue;
    }
    found.push(fileStat(path, stat, walk.nowMs));
    walk.untilPause -= 1;
    if (walk.untilPause <= 0) {
      walk.untilPause = SLICE;
      await setImmediate();
    }
    if (stat.isDirectory()) await walkFolder(walk, `${folder}/${name}`, [...parts, name]);
  }
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
    // In place of what was said of it when its own folder was read.
    found.pop();
    found.push({
      ...NOTHING,
      path: parts.join('/'),
      kind: 'folder',
      problem: `it cannot be read (${known.words})`,
    });
    return [];
  }
}

async function recover(
  { root, busy }: Walk,
  parts: readonly string[],
  shown: string,
  names: readonly string[],
): Promise<Stranded[]> {
  const folder = await openFolder(root, parts);
  if (!folder) return [];
  try {
    return await recoverFolder({ disk: root.disk, folder, shown, busy }, names);
  } finally {
    folder.close();
  }
}
