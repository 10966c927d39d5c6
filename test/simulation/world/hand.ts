import { sha256Hex } from '#protocol/canonical.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

/** A person's hand on the vault of one machine; whatever it writes is entered in the book of versions. */
export class Hand {
  readonly #machine: Machine;
  readonly #in: Pick<World, 'book' | 'written' | 'wills'>;

  constructor(machine: Machine, world: Pick<World, 'book' | 'written' | 'wills'>) {
    this.#machine = machine;
    this.#in = world;
  }

  /** What a person sees: neither hidden files nor the pages of the day, which are made anew. */
  paths(under = ''): string[] {
    const { person } = this.#machine.files;
    return person.paths().filter((path) => !/(^|\/)\.|^Briefings\//.test(path) && path.startsWith(under));
  }

  text(path: string): string {
    return this.#person.text(path) ?? '';
  }

  save(path: string, text: string): void {
    this.#giveUp(path);
    this.#person.save(path, text);
    const sha256 = sha256Hex(text);
    this.#in.book.wrote(this.#machine.name, sha256);
    this.#in.written.set(sha256, text);
  }

  /** Moves a file; what stood there goes, as a person who is asked about it says yes. */
  move(from: string, to: string): void {
    if (from === to || !this.#isFree(to)) return;
    this.#giveUp(to);
    // Under whatever name: the note says whose it is.
    const taskId = /^task: (t[0-9a-f]{20})$/m.exec(this.text(from))?.[1];
    if (to.startsWith('Approved/') && taskId !== undefined)
      this.#in.wills.add(`${this.#machine.name} moves ${taskId}`);
    this.#in.book.moved(this.#machine.name, sha256Hex(this.text(from)));
    this.#person.move(from, to);
  }

  copy(from: string, to: string): void {
    if (!this.#person.paths().includes(to) && this.#isFree(to)) this.#person.save(to, this.text(from));
  }

  remove(path: string): void {
    this.#giveUp(path);
    this.#person.remove(path);
  }

  /** The vault as a backup has it. */
  image(): ReadonlyMap<string, string> {
    return new Map(this.#person.paths().map((path) => [path, this.text(path)]));
  }

  /** Puts a backup in the place of the vault: all files are new ones, whatever they hold. */
  restore(image: ReadonlyMap<string, string>): void {
    for (const path of this.#person.paths()) this.remove(path);
    for (const [path, text] of image) this.#person.save(path, text);
  }

  get #person(): Machine['files']['person'] {
    return this.#machine.files.person;
  }

  #giveUp(path: string): void {
    const text = this.#person.text(path);
    if (text !== undefined) this.#in.book.gaveUp(this.#machine.name, sha256Hex(text));
  }

  /** No file stands where a folder is needed, and no folder where the file is to be. */
  #isFree(path: string): boolean {
    return !this.#person.paths().some((each) => each.startsWith(`${path}/`) || path.startsWith(`${each}/`));
  }
}
