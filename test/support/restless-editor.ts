import {
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { sha256Hex } from '#protocol/canonical.ts';
import type { OwnerMachine } from './owner-machines.ts';
import type { VersionBook } from './version-book.ts';

const FOLDERS = ['Notes', 'Notes/Projects', 'Notes/People', 'Journal'];
/** Fewer files than this are not made fewer still: a sync stops at a mass delete, and rightly so. */
const MIN_FILES = 30;
const MAX_FILES = 90;

/** A person who never stops working in a vault: the habits of several editors and of a file manager. */
export interface RestlessEditor {
  /** Does one thing; which one is drawn. */
  act(): void;
}

interface Desk {
  readonly machine: OwnerMachine;
  readonly book: VersionBook;
  readonly random: () => number;
  /** Names that no file had before, on any machine. */
  readonly fresh: () => string;
}

/** Opens the vault of a machine to a person. What is written and given up goes into the book. */
export function createRestlessEditor(desk: Desk): RestlessEditor {
  const actions: readonly (readonly [number, () => void])[] = [
    [6, () => create(desk)],
    [6, () => editInPlace(desk)],
    [6, () => saveByRename(desk)],
    [3, () => saveWithBackup(desk)],
    [3, () => moveOne(desk, false)],
    [2, () => moveOne(desk, true)],
    [1, () => moveFolder(desk)],
    [3, () => throwAway(desk)],
  ];
  const all = actions.reduce((sum, [weight]) => sum + weight, 0);
  return {
    act() {
      let drawn = desk.random() * all;
      for (const [weight, action] of actions) {
        drawn -= weight;
        if (drawn < 0) return tolerant(action);
      }
    },
  };
}

/** A file may be moved by a sync between looking and acting; a person shrugs and does the next thing. */
function tolerant(action: () => void): void {
  try {
    action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!['ENOENT', 'EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(code ?? '')) throw error;
  }
}

function create(desk: Desk): void {
  if (filesOf(desk).length >= MAX_FILES) return throwAway(desk);
  const file = path.join(desk.machine.vault, pick(desk, FOLDERS), `${desk.fresh()}.md`);
  mkdirSync(path.dirname(file), { recursive: true });
  // One in six is no longer carried inside of a ledger entry.
  const lines =
    desk.random() < 1 / 6 ? 400 + Math.floor(desk.random() * 4000) : 3 + Math.floor(desk.random() * 40);
  const text = Array.from({ length: lines }, (_, line) => `line ${line} of ${desk.fresh()}\n`).join('');
  writeFileSync(file, text, { flag: 'wx' });
  saved(desk, text);
}

/** Opens, truncates, writes: nano, and every shell. */
function editInPlace(desk: Desk): void {
  const file = pick(desk, filesOf(desk));
  const before = readFileSync(file);
  const after = edited(desk, before);
  // An editor that has the file open does not make it anew when it was moved away.
  const open = openSync(file, constants.O_WRONLY | constants.O_TRUNC);
  writeFileSync(open, after);
  closeSync(open);
  saved(desk, after, before);
}

/** A temp file beside it, renamed over it: gedit, Obsidian on most systems. */
function saveByRename(desk: Desk): void {
  const file = pick(desk, filesOf(desk));
  const before = readFileSync(file);
  const temp = path.join(path.dirname(file), `.goutputstream-${desk.fresh()}`);
  const after = edited(desk, before);
  writeFileSync(temp, after);
  renameSync(temp, file);
  saved(desk, after, before);
}

/** The old file becomes a backup, a new one is written, the backup goes: vim. */
function saveWithBackup(desk: Desk): void {
  const file = pick(desk, filesOf(desk));
  const backup = `${file}~`;
  renameSync(file, backup);
  const before = readFileSync(backup);
  const after = edited(desk, before);
  writeFileSync(file, after);
  unlinkSync(backup);
  saved(desk, after, before);
}

function moveOne(desk: Desk, withEdit: boolean): void {
  const file = pick(desk, filesOf(desk));
  const target = path.join(desk.machine.vault, pick(desk, FOLDERS), `${desk.fresh()} moved.md`);
  mkdirSync(path.dirname(target), { recursive: true });
  // A file manager does not replace what is there.
  linkSync(file, target);
  unlinkSync(file);
  if (!withEdit) return;
  const before = readFileSync(target);
  const after = edited(desk, before);
  writeFileSync(target, after);
  saved(desk, after, before);
}

function moveFolder(desk: Desk): void {
  const folder = path.join(desk.machine.vault, 'Notes', desk.random() < 0.5 ? 'Projects' : 'People');
  const moved = path.join(desk.machine.vault, 'Notes', `Archive ${desk.fresh()}`);
  if (existsSync(folder) && readdirSync(folder).length < MIN_FILES / 2) renameSync(folder, moved);
}

function throwAway(desk: Desk): void {
  const files = filesOf(desk);
  if (files.length < MIN_FILES) return create(desk);
  const bin = path.join(path.dirname(desk.machine.vault), `bin-${desk.fresh()}`);
  // Taken first and looked at then, so that the book knows exactly what was thrown away.
  renameSync(pick(desk, files), bin);
  desk.book.gaveUp(desk.machine.name, sha256Hex(readFileSync(bin)));
  rmSync(bin);
}

/** Another line at the end, a line changed in the middle, or all of it anew; no two versions are ever alike. */
function edited(desk: Desk, before: Uint8Array): string {
  const lines = Buffer.from(before).toString('utf8').split('\n');
  const drawn = desk.random();
  if (drawn < 0.1) return `all anew: ${desk.fresh()}\n`;
  if (drawn < 0.5) return `${lines.join('\n')}one more line: ${desk.fresh()}\n`;
  lines[Math.floor(desk.random() * lines.length)] = `another line: ${desk.fresh()}`;
  return lines.join('\n');
}

/** Noted in the same turn of the event loop as it was done, before any sync can say that it has completed. */
function saved({ machine, book }: Desk, after: string, before?: Uint8Array): void {
  if (before) book.gaveUp(machine.name, sha256Hex(before));
  book.wrote(machine.name, sha256Hex(Buffer.from(after)));
}

function filesOf({ machine }: Desk): string[] {
  return FOLDERS_OF_A_PERSON.flatMap((folder) => {
    const place = path.join(machine.vault, folder);
    if (!existsSync(place)) return [];
    return readdirSync(place, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !path.basename(name).startsWith('.'))
      .map((name) => path.join(place, name))
      .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false);
  }).sort();
}

const FOLDERS_OF_A_PERSON = ['Notes', 'Journal'];

function pick<T>({ random }: Desk, from: readonly T[]): T {
  const picked = from[Math.floor(random() * from.length)];
  if (picked === undefined) throw Object.assign(new Error('there is nothing'), { code: 'ENOENT' });
  return picked;
}
