import { OWN_PREFIX } from './aside.ts';
import type { Place } from './aside.ts';
import { codeOf } from './disk-error.ts';
import { openFolder } from './folder.ts';
import type { Root } from './folder.ts';
import { recoverFolder } from './recover.ts';

/** What file managers put into every folder they show. */
const OF_THE_SYSTEM = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini', '.directory']);

/**
 * Removes a folder in which nothing is, or only what the system put there. Anything else in it, hidden or
 * not, keeps it.
 *
 * @returns whether it was removed.
 */
export async function removeEmptyFolder(root: Root, place: Place): Promise<boolean> {
  const { disk, folder: parent, name, shown } = place;
  const folder = await openFolder(root, shown.split('/'));
  if (!folder) return false;
  try {
    let names = disk.names(folder.at('.'));
    if (names.some((own) => own.startsWith(OWN_PREFIX))) {
      await recoverFolder({ ...place, folder, shown: `${shown}/` }, names);
      names = disk.names(folder.at('.'));
    }
    if (!names.every((each) => OF_THE_SYSTEM.has(each))) return false;
    for (const each of names) disk.unlink(folder.at(each));
    disk.rmdir(parent.at(name));
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error) ?? '')) return false;
    throw error;
  } finally {
    folder.close();
  }
  await parent.sync();
  return true;
}
