import { Stats } from 'node:fs';
import { OPEN } from '#local-agent/files/disk.ts';
import type { Disk } from '#local-agent/files/disk.ts';
import { systemError } from '../tapped-disk.ts';
import { DiskJournal } from './disk-journal.ts';
import type { Node } from './disk-journal.ts';

const DESCRIPTOR = /^\/proc\/self\/fd\/(\d+)(?:\/|$)/;
const FILE_BITS = 0o100000;
const FOLDER_BITS = 0o040000;

/** A disk in memory that can lose its power. */
export interface MemoryDisk {
  readonly disk: Disk;
  /** Saves a file as an editor that waits until it is durable; folders are made. */
  save(this: void, file: string, text: string): void;
  /** Every file by its absolute path, hidden ones too. */
  files(this: void): Map<string, string>;
  /**
   * Power fails and comes back: what was not synced may be there, or not, or torn; all descriptors are gone.
   * Changes of names last in the order in which they were made, as journaling file systems have it.
   *
   * @param random numbers from 0 to 1, which choose what lasted.
   */
  powerCut(this: void, random: () => number): void;
}

/** Makes a disk on which there is one empty folder. */
export function createMemoryDisk(root: string): MemoryDisk {
  const journal = new DiskJournal();
  const open = new Map<number, Node>();
  let nextDescriptor = 3;

  function find(file: string): Node | undefined {
    const [whole = '', descriptor] = DESCRIPTOR.exec(file) ?? [];
    let node: Node | undefined = descriptor === undefined ? journal.root : open.get(Number(descriptor));
    for (const part of file.slice(whole.length).split('/')) {
      if (part === '' || part === '.') continue;
      if (node && !node.names) throw systemError('ENOTDIR');
      node = node?.names?.get(part);
    }
    return node;
  }

  function place(file: string): { readonly folder: Node; readonly name: string } {
    const cut = file.lastIndexOf('/');
    const folder = find(file.slice(0, cut));
    if (!folder) throw systemError('ENOENT');
    if (!folder.names) throw systemError('ENOTDIR');
    return { folder, name: file.slice(cut + 1) };
  }

  function need(file: string): Node {
    const node = find(file);
    if (!node) throw systemError('ENOENT');
    return node;
  }

  function held(descriptor: number): Node {
    const node = open.get(descriptor);
    if (!node) throw systemError('EBADF');
    return node;
  }

  function add(file: string, node: Node): Node {
    const { folder, name } = place(file);
    if (folder.names?.has(name) === true) throw systemError('EEXIST');
    journal.change([{ folder, name, node }]);
    return node;
  }

  function folderOnly(node: Node): Node {
    if (!node.names) throw systemError('ENOTDIR');
    return node;
  }

  const disk: Disk = {
    open(file, flags, mode = 0o644) {
      const node =
        flags === OPEN.create
          ? add(file, journal.make('file', mode))
          : flags === OPEN.read
            ? need(file)
            : folderOnly(need(file));
      open.set(nextDescriptor, node);
      return nextDescriptor++;
    },
    close: (descriptor) => void open.delete(descriptor),
    fstat: (descriptor) => statOf(held(descriptor)),
    chmod(descriptor, mode) {
      held(descriptor).mode = mode;
    },
    lstat(file) {
      const node = find(file);
      return node && statOf(node);
    },
    names: (folder) => [...(folderOnly(need(folder)).names?.keys() ?? [])],
    link(from, to) {
      const node = need(from);
      if (node.names) throw systemError('EPERM');
      add(to, node);
    },
    rename(from, to) {
      const [source, target] = [place(from), place(to)];
      const node = need(from);
      // In one step, also between two folders.
      journal.change([
        { folder: source.folder, name: source.name, node: undefined },
        { folder: target.folder, name: target.name, node },
      ]);
    },
    unlink(file) {
      if (need(file).names) throw systemError('EISDIR');
      journal.change([{ ...place(file), node: undefined }]);
    },
    mkdir: (folder) => void add(folder, journal.make('folder', 0o755)),
    rmdir(folder) {
      if ((folderOnly(need(folder)).names?.size ?? 0) > 0) throw systemError('ENOTEMPTY');
      journal.change([{ ...place(folder), node: undefined }]);
    },
    read: async (descriptor) => Uint8Array.from(held(descriptor).bytes),
    async write(descriptor, bytes) {
      journal.write(held(descriptor), bytes);
    },
    async sync(descriptor) {
      journal.sync(held(descriptor));
    },
  };

  function makeFolders(folder: string): void {
    if (folder === '' || find(folder)) return;
    makeFolders(folder.slice(0, folder.lastIndexOf('/')));
    disk.mkdir(folder);
  }

  function walk(prefix: string, { names, bytes }: Node, found: Map<string, string>): Map<string, string> {
    if (!names) return found.set(prefix, Buffer.from(bytes).toString());
    for (const [name, node] of names) walk(`${prefix}/${name}`, node, found);
    return found;
  }

  makeFolders(root);
  journal.syncAll();
  return {
    disk,
    save(file, text) {
      makeFolders(file.slice(0, file.lastIndexOf('/')));
      const node = find(file) ?? add(file, journal.make('file', 0o644));
      journal.write(node, Buffer.from(text));
      journal.syncAll();
    },
    files: () => walk('', journal.root, new Map()),
    powerCut(random) {
      open.clear();
      journal.powerCut(random);
    },
  };
}

function statOf(node: Node): Stats {
  const stat = Object.create(Stats.prototype) as Stats;
  return Object.assign(stat, {
    dev: 1,
    ino: node.ino,
    mode: (node.names ? FOLDER_BITS : FILE_BITS) | node.mode,
    nlink: node.links,
    size: node.bytes.length,
    mtimeMs: node.modifiedMs,
    ctimeMs: node.modifiedMs,
    birthtimeMs: node.ino,
  });
}
