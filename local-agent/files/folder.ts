import path from 'node:path';
import { OPEN } from './disk.ts';
import type { Disk } from './disk.ts';
import { codeOf, UnsafePathError, VaultMissingError } from './disk-error.ts';
import { syncFolder } from './sync-folder.ts';

/** A folder of the vault that is held open, and with it all folders above. */
export interface Folder {
  /** How the disk is told of a name in it. */
  at(name: string): string;
  /** Makes the names in it durable. */
  sync(): Promise<void>;
  close(): void;
}

/** Where the vault is and how its folders are reached. */
export interface Root {
  readonly disk: Disk;
  /** Absolute path. */
  readonly path: string;
  /** Whether names can be looked up in a folder that is open, by `/proc/self/fd`. */
  readonly descriptors: boolean;
}

/**
 * Opens a folder of the vault, part by part and never through a link.
 *
 * Where `/proc/self/fd` exists (Linux) each part is looked up in the open folder above it (what `openat`
 * does) and every later call goes by that open folder: whoever swaps a folder for a link meanwhile changes
 * nothing. Elsewhere each part is looked at before it is used, which leaves a moment to whoever can write
 * in the vault.
 *
 * @returns `undefined` where a part is missing (unless `make`) or is a plain file.
 * @throws {UnsafePathError} where a part is a link. @throws {VaultMissingError}
 */
export async function openFolder(
  root: Root,
  parts: readonly string[],
  make = false,
): Promise<Folder | undefined> {
  let folder = openRoot(root);
  for (const [index, part] of parts.entries()) {
    let next: Folder | undefined;
    try {
      next = step(root, folder, part, parts.slice(0, index + 1).join('/'));
      if (!next && make) {
        makeFolder(root, folder, part);
        // Otherwise a power cut takes the folder, and the next sync takes that for a person's wish.
        await folder.sync();
        next = step(root, folder, part, parts.slice(0, index + 1).join('/'));
      }
    } finally {
      folder.close();
    }
    if (!next) return undefined;
    folder = next;
  }
  return folder;
}

function openRoot(root: Root): Folder {
  const { disk } = root;
  try {
    if (root.descriptors) return byDescriptor(disk, disk.open(root.path, OPEN.root));
    // With the slash it is a folder or nothing, also behind a link.
    if (disk.lstat(`${root.path}${path.sep}`)?.isDirectory() === true) return byPath(disk, root.path);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
  }
  throw new VaultMissingError(
    `the vault folder ${root.path} is not there; nothing was changed. Is its disk mounted?`,
  );
}

function step({ disk, descriptors }: Root, folder: Folder, part: string, shown: string): Folder | undefined {
  const place = folder.at(part);
  if (descriptors) {
    try {
      return byDescriptor(disk, disk.open(place, OPEN.folder));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      if (!['ENOTDIR', 'ELOOP', 'ENXIO'].includes(codeOf(error) ?? '')) throw error;
    }
  }
  const stat = disk.lstat(place);
  if (stat?.isSymbolicLink() === true) throw new UnsafePathError(`${shown} is a link, not a folder`);
  return stat?.isDirectory() === true && !descriptors ? byPath(disk, place) : undefined;
}

function makeFolder({ disk }: Root, folder: Folder, part: string): void {
  try {
    disk.mkdir(folder.at(part));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function byDescriptor(disk: Disk, descriptor: number): Folder {
  return {
    at: (name) => `/proc/self/fd/${descriptor}/${name}`,
    sync: () => syncFolder(disk, descriptor),
    close: () => disk.close(descriptor),
  };
}

function byPath(disk: Disk, folder: string): Folder {
  return {
    at: (name) => path.join(folder, name),
    async sync() {
      // Windows opens no folder, and needs none opened.
      if (process.platform === 'win32') return;
      const descriptor = disk.open(folder, OPEN.root);
      try {
        await disk.sync(descriptor);
      } finally {
        disk.close(descriptor);
      }
    },
    close: () => undefined,
  };
}
