import { existsSync } from 'node:fs';
import type { Files, FileStat } from '#protocol/ports.ts';
import { VaultPath } from '#protocol/vault-path.ts';
import type { Place } from './aside.ts';
import { moveTo, removeAt, writeAt } from './change-file.ts';
import { nodeDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import { diskError, UnsafePathError } from './disk-error.ts';
import { openFolder } from './folder.ts';
import type { Root } from './folder.ts';
import { fileStat, listFiles } from './list-files.ts';
import { hashFileAt, readFileAt } from './open-file.ts';
import { renameFolders } from './rename-folders.ts';
import { removeEmptyFolder } from './remove-folder.ts';

/** What tests replace. */
export interface NodeFilesOptions {
  readonly disk?: Disk;
  /** Whether folders are held open while one works in them. @default where `/proc/self/fd` exists */
  readonly descriptors?: boolean;
}

/**
 * The `Files` port on a real folder. Links are never followed, neither as files nor as folders (see
 * `openFolder` for how far that holds); names that begin with a dot (`.git`, `.obsidian`, what we put
 * aside) are not seen.
 *
 * A file that is replaced, moved or removed is first put aside under a hidden name (see `putAside`), so
 * that whatever an editor saves meanwhile, in place or by a rename, keeps a name. One moment is left, as
 * for every program that replaces files: a program that opened the file earlier, and writes for the first
 * time after the bytes put aside were looked at a last time, writes into a file that has no name any more.
 *
 * The mode of a file that is replaced is kept; new files are 0644 less the umask.
 *
 * @param root absolute path of the vault.
 */
export function createNodeFiles(root: string, options: NodeFilesOptions = {}): Files {
  const disk = options.disk ?? nodeDisk;
  const descriptors = options.descriptors ?? existsSync('/proc/self/fd');
  const vault: Root = { disk, path: root, descriptors };
  const busy = new Set<string>();

  const within = async <T>(
    path: string,
    action: string,
    work: (place: Place) => Promise<T>,
    make = false,
  ): Promise<T | undefined> => {
    if (!VaultPath.safeParse(path).success)
      throw new UnsafePathError(`${JSON.stringify(path)} is not a path inside the vault`);
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    try {
      const folder = await openFolder(vault, parts, make);
      if (!folder) return undefined;
      try {
        return await work({ disk, folder, name, shown: path, busy });
      } finally {
        folder.close();
      }
    } catch (error) {
      throw diskError(path, action, error);
    }
  };

  return {
    list: () => listFiles(vault, busy),
    stat: (path) =>
      within(path, 'looked at', async ({ folder, name }): Promise<FileStat | undefined> => {
        const stat = disk.lstat(folder.at(name));
        return stat && fileStat(path, stat, Date.now());
      }),
    read: (path) =>
      within(
        path,
        'read',
        async ({ folder, name }) => (await readFileAt(disk, folder.at(name), path))?.bytes,
      ),
    async write(path, bytes, expected) {
      return (await within(path, 'written', (place) => writeAt(place, bytes, expected), true)) ?? 'changed';
    },
    async move(from, to, expected) {
      const work = async (source: Place): Promise<'moved' | 'changed' | undefined> => {
        const seen = await hashFileAt(disk, source.folder.at(source.name), from);
        if (seen?.sha256 !== expected) return 'changed';
        await renameFolders(vault, from, to);
        return within(to, 'written', (target) => moveTo(source, target, expected, seen.stat), true);
      };
      return (await within(from, 'moved', work)) ?? 'changed';
    },
    async remove(path, expected) {
      return (await within(path, 'removed', (place) => removeAt(place, expected))) ?? 'changed';
    },
    async removeFolder(path) {
      return (await within(path, 'removed', (place) => removeEmptyFolder(vault, place))) ?? false;
    },
  };
}
