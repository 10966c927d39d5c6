import { lstatSync, readdirSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import path from 'node:path';

const LIMITS = new Set(['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM']);

interface Watched {
  readonly watcher: FSWatcher;
  readonly inode: number;
}

/**
 * One watch of the system for each folder below a root, and none for files: `fs.watch` with `recursive`
 * walks over every file on Linux. Folders that come and go are followed; those that begin with a dot and
 * those behind links are not looked at.
 */
export class FolderWatches {
  readonly #root: string;
  readonly #onChange: () => void;
  readonly #onLimit: (watched: number) => void;
  readonly #give: (start: () => FSWatcher) => FSWatcher;
  readonly #watched = new Map<string, Watched>();
  #limited = false;

  /**
   * @param onChange called at each event, also at those that follow from our own work.
   * @param onLimit called once, when the system has no more watches to give.
   * @param give what a test puts in the system's place.
   */
  constructor(
    root: string,
    onChange: () => void,
    onLimit: (watched: number) => void,
    give = (start: () => FSWatcher): FSWatcher => start(),
  ) {
    this.#root = root;
    this.#onChange = onChange;
    this.#onLimit = onLimit;
    this.#give = give;
    this.#addAll(root);
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#watched.size;
  }

  /** Begins anew if the root is another folder than before, such as a disk that was mounted again. */
  refresh(): void {
    if (this.#watched.get(this.#root)?.inode === inodeOf(this.#root, this.#root)) return;
    this.close();
    this.#limited = false;
    this.#addAll(this.#root);
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #addAll(top: string): void {
    const open = [top];
    for (let folder = open.pop(); folder !== undefined && !this.#limited; folder = open.pop()) {
      // Watched before it is read: what comes into being in between is seen either way.
      if (!this.#add(folder)) continue;
      for (const name of foldersIn(folder)) open.push(path.join(folder, name));
    }
  }

  #add(folder: string): boolean {
    const inode = inodeOf(folder, this.#root);
    if (inode === undefined) return false;
    try {
      const watcher = this.#give(() => watch(folder, (event, name) => this.#onEvent(folder, event, name)));
      watcher.on('error', () => this.#remove(folder));
      this.#watched.set(folder, { watcher, inode });
      return true;
    } catch (error) {
      if (LIMITS.has((error as NodeJS.ErrnoException).code ?? '')) {
        this.#limited = true;
        this.#onLimit(this.#watched.size);
      }
      // Gone again, or not ours to look at: the scan says so.
      return false;
    }
  }

  #onEvent(folder: string, event: string, name: string | null): void {
    // .git, .obsidian and the like are not synced, and what we put aside begins so as well.
    if (name?.startsWith('.') === true) return;
    if (event === 'rename' && name !== null) {
      const place = path.join(folder, name);
      // A folder that goes tells so itself, by its own name; one made anew in its place may get the same inode.
      const isOfItself = name === path.basename(folder) && inodeOf(place, this.#root) === undefined;
      if (isOfItself) this.#renew(folder);
      else this.#follow(place);
    }
    this.#onChange();
  }

  /** A name came, went, or stands for another folder now. */
  #follow(place: string): void {
    const inode = inodeOf(place, this.#root);
    if (this.#watched.get(place)?.inode !== inode) this.#renew(place);
  }

  #renew(place: string): void {
    this.#remove(place);
    this.#addAll(place);
  }

  #remove(top: string): void {
    for (const [folder, { watcher }] of this.#watched) {
      if (folder !== top && !folder.startsWith(`${top}${path.sep}`)) continue;
      watcher.close();
      this.#watched.delete(folder);
    }
  }
}

/** `undefined` when there is no folder of that name. Only the vault itself may be named by a link. */
function inodeOf(folder: string, root: string): number | undefined {
  try {
    const stat = folder === root ? statSync(folder) : lstatSync(folder);
    return stat.isDirectory() ? stat.ino : undefined;
  } catch {
    return undefined;
  }
}

function foldersIn(folder: string): string[] {
  try {
    const names = readdirSync(folder, { withFileTypes: true });
    return names.filter((each) => each.isDirectory() && !each.name.startsWith('.')).map(({ name }) => name);
  } catch {
    return [];
  }
}
