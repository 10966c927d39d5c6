import { UnsafePathError } from '#local-agent/files/disk-error.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { Files, FileStat } from '#protocol/ports.ts';
import { VaultPath } from '#protocol/vault-path.ts';

/** A moment of a call: its name and the path it is about. */
export type FilesStep =
  'list' | 'stat' | 'read' | 'write' | 'written' | 'move' | 'moved' | 'remove' | 'removed' | 'removeFolder';

interface Inode {
  bytes: Uint8Array;
  readonly id: number;
  changed: number;
}

/** A vault in memory. */
export interface MemoryFiles extends Files {
  /** What a person does: saves in place, moves over whatever is there, deletes. */
  readonly person: {
    save(path: string, text: string | Uint8Array): void;
    move(from: string, to: string): void;
    remove(path: string): void;
    /** Removes folders without files in them, with all below. */
    clearFolder(path: string): void;
    text(path: string): string | undefined;
    paths(): string[];
  };
}

/** Where a simulator may act, in the middle of a call, or throw, as if the process had died there. */
export interface MemoryFilesOptions {
  readonly onStep?: (step: FilesStep, path: string) => void;
  /** Whether `A.md` and `a.md` are one name. @default false */
  readonly ignoreCase?: boolean;
}

/**
 * The `Files` port in memory: each change is one step that happens or does not, and nothing is ever lost
 * by it. Names that begin with a dot are kept and not listed.
 */
export function createMemoryFiles({
  onStep = () => undefined,
  ignoreCase = false,
}: MemoryFilesOptions = {}): MemoryFiles {
  const inodes = new Map<string, Inode>();
  const names = new Map<string, string>();
  const folders = new Map<string, string>();
  let count = 0;
  const key = (path: string): string => (ignoreCase ? path.toLowerCase() : path);
  const get = (path: string): Inode | undefined => inodes.get(key(path));
  const put = (path: string, inode: Inode): void => {
    for (const folder of above(path)) if (!folders.has(key(folder))) folders.set(key(folder), folder);
    inodes.set(key(path), inode);
    names.set(key(path), path);
  };
  const drop = (path: string): void => {
    inodes.delete(key(path));
    names.delete(key(path));
  };
  const inTheWay = (path: string): boolean =>
    inodes.has(key(path)) || folders.has(key(path)) || above(path).some((folder) => inodes.has(key(folder)));
  const check = (path: string): void => {
    if (!VaultPath.safeParse(path).success)
      throw new UnsafePathError(`${JSON.stringify(path)} is not a path inside the vault`);
  };
  const holds = (path: string, expected: string): Inode | undefined => {
    const inode = get(path);
    return inode && sha256Hex(inode.bytes) === expected ? inode : undefined;
  };
  const statOf = (path: string): FileStat | undefined => {
    const inode = get(path);
    const times = { modifiedMs: inode?.changed ?? 0, changedMs: inode?.changed ?? 0, settled: true };
    if (inode) {
      const shown = names.get(key(path)) ?? path;
      return {
        path: shown,
        kind: 'file',
        sizeBytes: inode.bytes.byteLength,
        fileId: `${inode.id}`,
        ...times,
      };
    }
    const folder = folders.get(key(path));
    return folder === undefined
      ? undefined
      : { path: folder, kind: 'folder', sizeBytes: 0, fileId: '', ...times };
  };
  const fresh = (bytes: Uint8Array): Inode => ({
    bytes: Uint8Array.from(bytes),
    id: ++count,
    changed: ++count,
  });
  return {
    async list() {
      onStep('list', '');
      const all = [...folders.values(), ...names.values()].filter((path) => !/(^|\/)\./.test(path));
      return all.sort().flatMap((path) => statOf(path) ?? []);
    },
    async stat(path) {
      check(path);
      onStep('stat', path);
      return statOf(path);
    },
    async read(path) {
      check(path);
      onStep('read', path);
      const inode = get(path);
      return inode && Uint8Array.from(inode.bytes);
    },
    async write(path, bytes, expected) {
      check(path);
      onStep('write', path);
      if (expected === null ? inTheWay(path) : !holds(path, expected)) return 'changed';
      put(path, fresh(bytes));
      onStep('written', path);
      return 'written';
    },
    async move(from, to, expected) {
      check(from);
      check(to);
      onStep('move', from);
      const inode = holds(from, expected);
      if (!inode || (inTheWay(to) && (key(from) !== key(to) || from === to))) return 'changed';
      drop(from);
      put(to, inode);
      onStep('moved', to);
      return 'moved';
    },
    async remove(path, expected) {
      check(path);
      onStep('remove', path);
      if (!holds(path, expected)) return 'changed';
      drop(path);
      onStep('removed', path);
      return 'removed';
    },
    async removeFolder(path) {
      check(path);
      onStep('removeFolder', path);
      if (!folders.has(key(path))) return false;
      const inside = [...names.keys(), ...folders.keys()].filter((each) => each.startsWith(`${key(path)}/`));
      if (inside.some((each) => !/\/\.ds_store$/i.test(each))) return false;
      for (const each of inside) drop(each);
      return folders.delete(key(path));
    },
    person: {
      save(path, text) {
        const inode = get(path);
        const bytes = Uint8Array.from(typeof text === 'string' ? Buffer.from(text) : text);
        if (inode) Object.assign(inode, { bytes, changed: ++count });
        else put(path, fresh(bytes));
      },
      move(from, to) {
        const inode = get(from);
        if (!inode) return;
        drop(from);
        put(to, inode);
      },
      remove: drop,
      clearFolder(path) {
        if ([...names.keys()].some((each) => each.startsWith(`${key(path)}/`))) return;
        for (const each of [...folders.keys()]) {
          if (each === key(path) || each.startsWith(`${key(path)}/`)) folders.delete(each);
        }
      },
      text(path) {
        const inode = get(path);
        return inode && Buffer.from(inode.bytes).toString();
      },
      paths: () => [...names.values()].sort(),
    },
  };
}

function above(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}
