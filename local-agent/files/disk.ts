import fs from 'node:fs';
import type { Stats } from 'node:fs';
import { promisify } from 'node:util';

const { constants } = fs;
// Not known on every system; where it is not, the checks of `folder.ts` do without.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
// Opening a pipe would wait for its other end.
const NO_BLOCK = constants.O_NONBLOCK ?? 0;

/** How a file or folder is opened; links are never followed at the last name. */
export const OPEN = {
  read: constants.O_RDONLY | NO_FOLLOW | NO_BLOCK,
  create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW,
  folder: constants.O_RDONLY | NO_FOLLOW | (constants.O_DIRECTORY ?? 0),
  /** The vault itself may be named by a link. */
  root: constants.O_RDONLY | (constants.O_DIRECTORY ?? 0),
} as const;

/**
 * The calls of the operating system that the vault's files are made of, so that tests can put editors,
 * faults and death between any two of them. What takes no time is synchronous: between two such calls
 * nothing else of this process runs, and a name is missing for microseconds only.
 */
export interface Disk {
  open(file: string, flags: number, mode?: number): number;
  close(descriptor: number): void;
  fstat(descriptor: number): Stats;
  chmod(descriptor: number, mode: number): void;
  /** `undefined` when there is no such name. */
  lstat(file: string): Stats | undefined;
  names(folder: string): string[];
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  unlink(file: string): void;
  mkdir(folder: string): void;
  rmdir(folder: string): void;
  /** All that stands from the beginning to the end. */
  read(descriptor: number, sizeBytes: number): Promise<Uint8Array>;
  write(descriptor: number, bytes: Uint8Array): Promise<void>;
  sync(descriptor: number): Promise<void>;
}

const readSome = promisify(fs.read) as (
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;
const writeAll = promisify(fs.writeFile) as (fd: number, bytes: Uint8Array) => Promise<void>;
const fsync = promisify(fs.fsync);

/** The real one. */
export const nodeDisk: Disk = {
  open: (file, flags, mode) => fs.openSync(file, flags, mode),
  close: (descriptor) => fs.closeSync(descriptor),
  fstat: (descriptor) => fs.fstatSync(descriptor),
  chmod: (descriptor, mode) => fs.fchmodSync(descriptor, mode),
  lstat: (file) => fs.lstatSync(file, { throwIfNoEntry: false }),
  names: (folder) => fs.readdirSync(folder),
  link: (from, to) => fs.linkSync(from, to),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (file) => fs.unlinkSync(file),
  mkdir: (folder) => void fs.mkdirSync(folder),
  rmdir: (folder) => fs.rmdirSync(folder),
  async read(descriptor, sizeBytes) {
    // One byte more than expected shows the end without a second call.
    let buffer = Buffer.allocUnsafeSlow(sizeBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await readSome(descriptor, buffer, length, buffer.length - length, length);
      if (bytesRead === 0) return buffer.subarray(0, length);
      length += bytesRead;
      if (length === sizeBytes && length < buffer.length) return buffer.subarray(0, length);
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafeSlow(buffer.length)]);
    }
  },
  write: (descriptor, bytes) => writeAll(descriptor, bytes),
  sync: (descriptor) => fsync(descriptor),
};
