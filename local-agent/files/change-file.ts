import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { insideOf, linkTo, OWN_PREFIX, putAside, settle } from './aside.ts';
import type { Place } from './aside.ts';
import { OPEN } from './disk.ts';
import { codeOf } from './disk-error.ts';
import { hashFileAt } from './open-file.ts';

/** Puts bytes where `expected` (a hash, or `null` for nothing) stands. See `Files.write`. */
export async function writeAt(
  place: Place,
  bytes: Uint8Array,
  expected: string | null,
): Promise<'written' | 'changed'> {
  const { disk, folder, name, busy } = place;
  if ((disk.lstat(folder.at(name)) === undefined) !== (expected === null)) return 'changed';
  const temp = `${OWN_PREFIX}${randomBytes(8).toString('hex')}.tmp`;
  busy.add(temp);
  let descriptor: number | undefined;
  try {
    descriptor = disk.open(folder.at(temp), OPEN.create, 0o644);
    await disk.write(descriptor, bytes);
    await disk.sync(descriptor);
    if (expected !== null) return await replaceBy(place, { temp, descriptor }, expected);
    if (!linkTo(disk, folder.at(temp), folder.at(name))) return 'changed';
    await folder.sync();
    return 'written';
  } finally {
    busy.delete(temp);
    if (descriptor !== undefined) disk.close(descriptor);
    removeTemp(place, temp);
  }
}

function removeTemp({ disk, folder }: Place, temp: string): void {
  try {
    disk.unlink(folder.at(temp));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function replaceBy(
  place: Place,
  { temp, descriptor }: { readonly temp: string; readonly descriptor: number },
  expected: string,
): Promise<'written' | 'changed'> {
  const { disk, folder, name, shown } = place;
  const seen = await hashFileAt(disk, folder.at(name), shown);
  if (seen?.sha256 !== expected) return 'changed';
  disk.chmod(descriptor, seen.stat.mode & 0o777);
  const aside = await putAside(place, 'kept', expected, seen.stat);
  if (!aside) return 'changed';
  let placed: boolean;
  try {
    placed = linkTo(disk, folder.at(temp), folder.at(name));
  } catch (error) {
    await settle(aside, 'restore');
    // Somebody took our temp file away.
    if (codeOf(error) === 'ENOENT') return 'changed';
    throw error;
  }
  try {
    // Not before the new file is sure to stay is the old one given up.
    if (placed) await folder.sync();
  } catch (error) {
    place.busy.delete(aside.hidden);
    throw error;
  }
  await settle(aside, 'drop');
  return placed ? 'written' : 'changed';
}

/** Gives the file that was seen at `source` the name `target`. See `Files.move`. */
export async function moveTo(
  source: Place,
  target: Place,
  expected: string,
  seen: Stats,
): Promise<'moved' | 'changed'> {
  const { disk } = source;
  // A file with further names has one more than its new one after a crash, too.
  const aside = await putAside(source, seen.nlink === 1 ? 'moved' : 'kept', expected, seen);
  if (!aside) return 'changed';
  let placed = false;
  try {
    placed = linkTo(disk, insideOf(aside), target.folder.at(target.name));
    if (placed) await target.folder.sync();
  } finally {
    await settle(aside, placed ? 'moved' : 'restore');
  }
  await source.folder.sync();
  return placed ? 'moved' : 'changed';
}

/** Removes the file if it holds the expected bytes. See `Files.remove`. */
export async function removeAt(place: Place, expected: string): Promise<'removed' | 'changed'> {
  const { disk, folder, name, shown } = place;
  const seen = await hashFileAt(disk, folder.at(name), shown);
  if (seen?.sha256 !== expected) return 'changed';
  const aside = await putAside(place, 'kept', expected, seen.stat);
  if (!aside) return 'changed';
  const dropped = await settle(aside, 'drop');
  // Otherwise a power cut brings it back, and the next sync takes that for a person's wish.
  await folder.sync();
  return dropped ? 'removed' : 'changed';
}
