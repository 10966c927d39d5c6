import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const NOTES_A_FOLDER = 50;
const MEAN_BYTES = 2000;
/** Notes that were written a day ago: no clock's grain makes anybody look at them twice. */
const AGE_S = 86_400;

/** A folder of Markdown notes like somebody's vault: 50 a folder, 2 KB each in the mean, no two alike. */
export interface NoteTree {
  readonly folder: string;
  readonly count: number;
  /** Path of a note below `folder`. */
  pathOf(index: number): string;
}

/** What {@link editTree} changes. */
export interface Edits {
  readonly edited: number;
  readonly renamed: number;
  readonly deleted: number;
}

/** Writes `count` notes below `folder`. */
export function makeNoteTree(folder: string, count: number): NoteTree {
  const paths = Array.from({ length: count }, (_, index) => notePath(index));
  const tree = { folder, count, pathOf: (index: number) => paths[index] ?? notePath(index) };
  for (let at = 0; at < count; at += NOTES_A_FOLDER) {
    mkdirSync(path.join(folder, path.dirname(tree.pathOf(at))), { recursive: true });
    for (let index = at; index < Math.min(count, at + NOTES_A_FOLDER); index++) {
      writeAged(path.join(folder, tree.pathOf(index)), noteText(index, 'as it was first written'));
    }
  }
  return tree;
}

/**
 * Edits, renames and deletes notes, others in each round. An edit makes a note longer by a line, as most do; that
 * spares tools that compare sizes a look inside.
 *
 * @returns how many notes were there to change
 */
export function editTree({ folder, count, pathOf }: NoteTree, round: number, edits: Edits): void {
  const each = edits.edited + edits.renamed + edits.deleted;
  const stride = Math.max(1, Math.floor(count / each));
  const noteOf = (nth: number): string => path.join(folder, pathOf((nth * stride + round) % count));
  let nth = 0;
  for (; nth < edits.edited; nth++) writeAged(noteOf(nth), noteText(nth, `edited in round ${round}\n`.repeat(round + 2)));
  for (; nth < edits.edited + edits.renamed; nth++) {
    renameSync(noteOf(nth), noteOf(nth).replace(/\.md$/, ` (renamed).md`));
  }
  for (; nth < each; nth++) rmSync(noteOf(nth));
}

function notePath(index: number): string {
  const folder = Math.floor(index / NOTES_A_FOLDER);
  const name = `note-${String(index).padStart(6, '0')}.md`;
  return path.join('Notes', `area-${String(folder % 20).padStart(2, '0')}`, `topic-${folder}`, name);
}

function noteText(index: number, line: string): string {
  const sizeBytes = MEAN_BYTES / 2 + ((index * 7919) % MEAN_BYTES);
  const words = `Note ${index} says something of its own, number ${(index * 2_654_435_761) % 4_294_967_296}. `;
  const head = `---\ntitle: Note ${index}\ntags: [area-${index % 20}]\n---\n\n# Note ${index}\n\n${line}\n\n`;
  return `${head}${`${words}\n`.repeat(Math.ceil(sizeBytes / words.length))}`;
}

function writeAged(file: string, text: string): void {
  writeFileSync(file, text);
  const then = Date.now() / 1000 - AGE_S;
  utimesSync(file, then, then);
}
