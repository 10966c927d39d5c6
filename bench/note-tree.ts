import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { seededRandom } from '#test/support/seeded-random.ts';

const NOTES_A_FOLDER = 50;
const MEAN_BYTES = 2000;
/** Notes that were written a day ago: no clock's grain makes anybody look at them twice. */
const AGE_S = 86_400;

/** A folder of Markdown notes like somebody's vault: 50 a folder, 2 KB each in the mean, no two alike. */
export interface NoteTree {
  readonly folder: string;
  readonly count: number;
  /** Path of a note below `folder`. */
  readonly pathOf: (index: number) => string;
}

/** Writes `count` notes below `folder`. */
export function makeNoteTree(folder: string, count: number): NoteTree {
  const paths = Array.from({ length: count }, (_, index) => notePath(index));
  const tree = { folder, count, pathOf: (index: number) => paths[index] ?? notePath(index) };
  for (let at = 0; at < count; at += NOTES_A_FOLDER) {
    mkdirSync(path.join(folder, path.dirname(tree.pathOf(at))), { recursive: true });
    for (let index = at; index < Math.min(count, at + NOTES_A_FOLDER); index++) {
      const file = path.join(folder, tree.pathOf(index));
      writeFileSync(file, noteText(index));
      const then = Date.now() / 1000 - AGE_S;
      utimesSync(file, then, then);
    }
  }
  return tree;
}

/**
 * Of 10,000 notes edits 100, renames 10 and deletes 10; others in each round (there may be 80). An edit makes a note
 * longer, as most do: so a tool that compares no more than sizes sees it, too.
 */
export function editTree({ folder, count, pathOf }: NoteTree, round: number): void {
  const [edited, renamed, deleted] = [count / 100, count / 1000, count / 1000].map((n) => Math.ceil(n));
  const stride = count / ((edited ?? 0) + (renamed ?? 0) + (deleted ?? 0));
  const notes = Array.from({ length: Math.floor(count / stride) }, (_, nth) =>
    path.join(folder, pathOf(Math.floor(nth * stride) + round)),
  );
  for (const note of notes.splice(0, renamed)) renameSync(note, note.replace(/\.md$/, ' (renamed).md'));
  for (const note of notes.splice(0, deleted)) rmSync(note);
  for (const note of notes) appendFileSync(note, `\nA line that was added in round ${round}.\n`);
}

function notePath(index: number): string {
  const folder = Math.floor(index / NOTES_A_FOLDER);
  const name = `note-${String(index).padStart(6, '0')}.md`;
  return path.join('Notes', `area-${String(folder % 20).padStart(2, '0')}`, `topic-${folder}`, name);
}

/** Words drawn as people use them: a few often, most seldom. Bytes that repeat would flatter whoever compresses. */
function noteText(index: number): string {
  const random = seededRandom(index);
  const wantedBytes = MEAN_BYTES / 2 + random() * MEAN_BYTES;
  const parts = [`---\ntitle: Note ${index}\ntags: [area-${index % 20}]\n---\n\n# Note ${index}\n\n`];
  for (let size = parts[0]?.length ?? 0, nth = 1; size < wantedBytes; nth++) {
    const word = WORDS[Math.floor(random() ** 3 * WORDS.length)] ?? '';
    parts.push(word, nth % 14 === 0 ? '.\n' : ' ');
    size += word.length + 1;
  }
  return `${parts.join('')}\n`;
}

const SYLLABLES = 'an be ca do el fi go ha in jo ka le mo na or pe qui ra so te un ve wi xa yo zu'.split(' ');
const WORDS = Array.from({ length: 4000 }, (_, index) => {
  const random = seededRandom(index + 1_000_000);
  const length = 1 + Math.floor(random() * 4);
  return Array.from({ length }, () => SYLLABLES[Math.floor(random() * SYLLABLES.length)]).join('');
});
