import { OWN_PREFIX, settle } from './aside.ts';
import type { Aside, AsideKind, Place } from './aside.ts';
import { codeOf, DiskError, diskError } from './disk-error.ts';

const ASIDE = new RegExp(`^\\${OWN_PREFIX}(kept|moved)-[0-9a-f]{16}-([0-9a-f]{64})$`);
const TEMP = new RegExp(`^\\${OWN_PREFIX}[0-9a-f]{16}\\.tmp$`);

/** A file that could not be put back. */
export interface Stranded {
  readonly name: string;
  readonly why: string;
}

/**
 * Puts back what a process that was killed had put aside in a folder, and drops its temp files. Nothing is
 * ever replaced by that, and running it beside a process that lives does no harm.
 *
 * @param names the names in the folder.
 * @returns the files that are not back at their names.
 */
export async function recoverFolder(
  { disk, folder, shown: prefix, busy }: Omit<Place, 'name'>,
  names: readonly string[],
): Promise<Stranded[]> {
  const stranded: Stranded[] = [];
  for (const own of names) {
    if (!own.startsWith(OWN_PREFIX)) continue;
    if (TEMP.test(own) && !busy.has(own)) {
      await quietly(() => disk.unlink(folder.at(own)));
      continue;
    }
    const [, kind, expected] = ASIDE.exec(own) ?? [];
    if (kind === undefined || expected === undefined) continue;
    if (disk.lstat(folder.at(own))?.isDirectory() !== true) continue;
    const inside = disk.names(folder.at(own));
    if (inside.length === 0 && !busy.has(own)) await quietly(() => disk.rmdir(folder.at(own)));
    for (const name of inside) {
      const shown = `${prefix}${name}`;
      const aside = { disk, folder, name, shown, busy, kind: kind as AsideKind, expected, hidden: own };
      const why = busy.has(own) ? 'it is being written at this moment' : await tryToRestore(aside, shown);
      if (why !== undefined && !disk.lstat(folder.at(name))) stranded.push({ name, why });
    }
  }
  return stranded;
}

async function tryToRestore(aside: Aside, shown: string): Promise<string | undefined> {
  try {
    await settle(aside, 'restore');
    return undefined;
  } catch (error) {
    const known = diskError(shown, 'put back', error);
    if (!(known instanceof DiskError)) throw error;
    return `it could not be put back after an interruption (${known.words})`;
  }
}

async function quietly(work: () => void): Promise<void> {
  try {
    work();
  } catch (error) {
    // A leftover that cannot be removed is in nobody's way.
    if (codeOf(error) === undefined) throw error;
  }
}
