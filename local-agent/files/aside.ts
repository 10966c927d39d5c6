import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Stats } from 'node:fs';
import { sha256Hex } from '#protocol/canonical.ts';
import type { Disk } from './disk.ts';
import { codeOf } from './disk-error.ts';
import type { Folder } from './folder.ts';
import { hashFileAt, readFileAt } from './open-file.ts';

/** What every name of ours begins with; the dot keeps it out of lists, watchers and editors. */
export const OWN_PREFIX = '.~employee-';

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
const MAX_NAME_BYTES = 240;

/** A name in an open folder. */
export interface Place {
  readonly disk: Disk;
  readonly folder: Folder;
  readonly name: string;
  /** The path as the person knows it. */
  readonly shown: string;
  /** The hidden names that this process works with: no leftovers. */
  readonly busy: Set<string>;
}

/**
 * Why a file was put aside: to be replaced or removed (`kept`: it returns to its name if we die), or to be
 * moved, which is done as soon as it has another name (`moved`).
 */
export type AsideKind = 'kept' | 'moved';

/** A file of the vault under a hidden folder beside it: `.~employee-<kind>-<id>-<hash>/<its name>`. */
export interface Aside extends Place {
  readonly kind: AsideKind;
  /** The hash that the file is meant to have: bytes that are known elsewhere. */
  readonly expected: string;
  /** The name of the hidden folder. */
  readonly hidden: string;
}

/**
 * Takes a file off its name if it is the one that was looked at.
 *
 * Nothing in Node swaps two files in one step, and a rename over a name would take whatever an editor has
 * put there since the last look. So the file is renamed aside first, and only then looked at: what is in
 * hand cannot be replaced by anybody. The new file goes to the free name by a link, which never replaces.
 * Between the two the name is missing for three calls of the system (some 20 µs).
 *
 * @param seen what the system said of the file when its bytes were read.
 * @returns `undefined` when another file stood there: it is back at its name then.
 */
export async function putAside(
  place: Place,
  kind: AsideKind,
  expected: string,
  seen: Stats,
): Promise<Aside | undefined> {
  const { disk, folder, name } = place;
  const hidden = `${OWN_PREFIX}${kind}-${randomBytes(8).toString('hex')}-${expected}`;
  const aside: Aside = { ...place, kind, expected, hidden };
  place.busy.add(hidden);
  try {
    disk.mkdir(folder.at(hidden));
    disk.rename(folder.at(name), insideOf(aside));
  } catch (error) {
    removeHidden(aside);
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const now = disk.lstat(insideOf(aside));
  if (now?.ino === seen.ino && now.size === seen.size && now.mtimeMs === seen.mtimeMs) return aside;
  // Some disks number a file anew when it is renamed: the bytes decide.
  if (now?.isFile() === true && (await hashFileAt(disk, insideOf(aside), place.shown))?.sha256 === expected)
    return aside;
  await settle(aside, 'restore');
  return undefined;
}

/** How the disk is told of the file that was put aside. */
export function insideOf({ folder, hidden, name }: Aside): string {
  return folder.at(`${hidden}/${name}`);
}

/** Gives a file a second name, which must be free. @returns `false` where it is not. */
export function linkTo(disk: Disk, from: string, to: string): boolean {
  try {
    disk.link(from, to);
    return true;
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'EEXIST') return false;
    // Disks without links (FAT, some network disks) and folders: looking first is the best there is.
    if (!NO_LINKS.has(code)) throw error;
    if (disk.lstat(to)) return false;
    disk.rename(from, to);
    return true;
  }
}

/**
 * Ends what was begun with `putAside`, also what a killed process began. Bytes that are not the expected
 * ones are somebody's: they go back to their name, or beside it if something new stands there.
 *
 * @param end `restore` puts the file back; `drop` gives it up, if it holds the expected bytes still;
 * `moved` says that it has its new name.
 * @returns whether the file was given up.
 */
export async function settle(aside: Aside, end: 'restore' | 'drop' | 'moved'): Promise<boolean> {
  const { disk, folder, name } = aside;
  const inside = insideOf(aside);
  try {
    const stat = disk.lstat(inside);
    let dropped = end !== 'restore';
    if (stat && end !== 'moved' && !hasOtherName(aside, stat)) {
      const known = stat.isFile() && (await holdsExpected(aside));
      dropped = known && end === 'drop';
      if (!dropped) {
        if (linkTo(disk, inside, folder.at(name))) await folder.sync();
        else if (!known) await saveBeside(aside, stat);
      }
    }
    // Right after the last look.
    unlinkIfThere(disk, inside);
    return dropped;
  } finally {
    removeHidden(aside);
  }
}

/** Killed between giving it a name and taking this one: nothing is left to do. */
function hasOtherName({ disk, folder, name, kind }: Aside, stat: Stats): boolean {
  const present = disk.lstat(folder.at(name));
  return (present?.ino === stat.ino && present.dev === stat.dev) || (kind === 'moved' && stat.nlink > 1);
}

/** Programs that opened the file before it was put aside may write to it until it is gone. */
async function holdsExpected(aside: Aside): Promise<boolean> {
  const { disk, expected, shown } = aside;
  const found = await hashFileAt(disk, insideOf(aside), shown);
  const now = disk.lstat(insideOf(aside));
  return (
    found?.sha256 === expected &&
    now?.size === found.stat.size &&
    now.mtimeMs === found.stat.mtimeMs &&
    now.ctimeMs === found.stat.ctimeMs
  );
}

/** A name of its own beside the new file, the same for the same bytes. */
async function saveBeside(aside: Aside, stat: Stats): Promise<void> {
  const { disk, folder, name, shown } = aside;
  const inside = insideOf(aside);
  const found = stat.isFile() ? await readFileAt(disk, inside, shown) : undefined;
  const mark = sha256Hex(found?.bytes ?? aside.hidden);
  for (let digits = 8; digits <= mark.length; digits += 8) {
    const beside = folder.at(besideName(name, mark.slice(0, digits)));
    if (linkTo(disk, inside, beside)) break;
    if ((await hashFileAt(disk, beside, shown))?.sha256 === mark) break;
  }
  await folder.sync();
}

/** @example besideName('Lunch.md', '1a2b3c4d') // 'Lunch (saved during a sync 1a2b3c4d).md' */
function besideName(name: string, mark: string): string {
  const { name: stem, ext } = path.parse(name);
  const end = ` (saved during a sync ${mark})${ext.length > 20 ? '' : ext}`;
  let short = '';
  for (const character of stem) {
    if (Buffer.byteLength(`${short}${character}${end}`) > MAX_NAME_BYTES) break;
    short += character;
  }
  return `${short.trim()}${end}`;
}

function unlinkIfThere(disk: Disk, file: string): void {
  try {
    disk.unlink(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Whatever is in it still is found by the next `list`. */
function removeHidden({ disk, folder, hidden, busy }: Aside): void {
  busy.delete(hidden);
  try {
    disk.rmdir(folder.at(hidden));
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
  }
}
