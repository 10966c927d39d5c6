import type { Stats } from 'node:fs';
import { sha256Hex } from '#protocol/canonical.ts';
import { OPEN } from './disk.ts';
import type { Disk } from './disk.ts';
import { codeOf, UnsafePathError } from './disk-error.ts';

/** The bytes of a file and what the system said of it right before they were read. */
export interface FileBytes {
  readonly bytes: Uint8Array;
  readonly stat: Stats;
}

/**
 * Reads a plain file.
 *
 * @param shown its path as the person knows it.
 * @returns `undefined` when there is none, or a folder.
 * @throws {UnsafePathError} for a link, a pipe, a device.
 */
export async function readFileAt(disk: Disk, file: string, shown: string): Promise<FileBytes | undefined> {
  const descriptor = openPlain(disk, file, shown);
  if (descriptor === undefined) return undefined;
  try {
    const stat = disk.fstat(descriptor);
    if (stat.isDirectory()) return undefined;
    if (!stat.isFile()) throw new UnsafePathError(`${shown} is no plain file`);
    return { bytes: await disk.read(descriptor, stat.size), stat };
  } finally {
    disk.close(descriptor);
  }
}

/** The same for who only wants to know which bytes they are. */
export async function hashFileAt(
  disk: Disk,
  file: string,
  shown: string,
): Promise<{ readonly sha256: string; readonly stat: Stats } | undefined> {
  const found = await readFileAt(disk, file, shown);
  return found && { sha256: sha256Hex(found.bytes), stat: found.stat };
}

function openPlain(disk: Disk, file: string, shown: string): number | undefined {
  try {
    // For systems that cannot be told to follow no link.
    if (process.platform === 'win32' && disk.lstat(file)?.isSymbolicLink() === true)
      throw new UnsafePathError(`${shown} is a link`);
    return disk.open(file, OPEN.read);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    if (code === 'ELOOP') throw new UnsafePathError(`${shown} is a link`, { cause: error });
    if (code === 'ENXIO') throw new UnsafePathError(`${shown} is no plain file`, { cause: error });
    throw error;
  }
}
