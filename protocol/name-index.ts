import { foldName } from './vault-path.ts';

/** Why a path cannot stand beside the others, and which of them is in its way. */
export interface NameClash {
  /**
   * `same`: that very path is taken. `twin`: one that differs in case or Unicode form alone. `folder`: files
   * stand below it. `file`: a file stands where one of its folders has to be.
   */
  readonly how: 'same' | 'twin' | 'folder' | 'file';
  readonly with: string;
}

/** The names that are taken, as a file system sees them that ignores case and Unicode form. */
export class NameIndex {
  readonly #files: Map<string, string>;
  readonly #folders: Map<string, number>;

  /** @param taken paths, or the names of another index to copy. */
  constructor(taken: Iterable<string> | NameIndex) {
    const copied = taken instanceof NameIndex;
    this.#files = new Map(copied ? taken.#files : []);
    this.#folders = new Map(copied ? taken.#folders : []);
    if (!copied) for (const path of taken) this.add(path);
  }

  get size(): number {
    return this.#files.size;
  }

  add(path: string): void {
    const name = foldName(path);
    this.#files.set(name, path);
    for (const folder of foldersOf(name)) this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1);
  }

  delete(path: string): void {
    const name = foldName(path);
    if (!this.#files.delete(name)) return;
    for (const folder of foldersOf(name)) {
      const left = (this.#folders.get(folder) ?? 0) - 1;
      if (left > 0) this.#folders.set(folder, left);
      else this.#folders.delete(folder);
    }
  }

  /** What keeps a file from standing at `path`, if anything does. */
  clash(path: string): NameClash | undefined {
    const name = foldName(path);
    const taken = this.#files.get(name);
    if (taken !== undefined) return { how: taken === path ? 'same' : 'twin', with: taken };
    if (this.#folders.has(name)) return { how: 'folder', with: path };
    for (const folder of foldersOf(name)) {
      const file = this.#files.get(folder);
      if (file !== undefined) return { how: 'file', with: file };
    }
    return undefined;
  }
}

function* foldersOf(name: string): Generator<string> {
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) yield name.slice(0, at);
}
