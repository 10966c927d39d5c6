import { z } from 'zod';
import { NoteFormatError } from './errors.ts';
import { joinFrontMatter, splitFrontMatter } from './front-matter.ts';
import { TaskId } from './ids.ts';

export const DRAFT_HEADING = '## Draft';
export const ORIGINAL_HEADING = '## Original mail';

const Line = z.string().max(2000);

/**
 * The front matter of a task's note. What will be executed stands in `to`, `cc`, `subject` and
 * `attachments`; the rest tells the person what this is. `tags`, `aliases` and `cssclasses` belong to
 * Obsidian.
 */
export const NoteFront = z.strictObject({
  task: TaskId,
  kind: z.enum(['mail', 'email.reply', 'email.send']),
  to: z.array(z.string().max(400)).max(50).optional(),
  cc: z.array(z.string().max(400)).max(50).optional(),
  subject: Line.optional(),
  attachments: z.array(z.string().max(1000)).max(20).optional(),
  from: Line.optional(),
  received: Line.optional(),
  sender: Line.optional(),
  verdict: Line.optional(),
  written_by: Line.optional(),
  warnings: z.array(Line).max(50).optional(),
  tags: z.unknown().optional(),
  aliases: z.unknown().optional(),
  cssclasses: z.unknown().optional(),
});
export type NoteFront = z.infer<typeof NoteFront>;

/** A task's note, taken apart. All texts use `\n`. */
export interface Note {
  readonly front: NoteFront;
  /** Words for the person, between the front matter and the draft. */
  readonly preface: string;
  /** The words that will be sent, if there is a draft. */
  readonly draft?: string;
  /** The mail as it came, without the quote marks. */
  readonly original?: string;
}

/**
 * Reads a task's note. The draft runs from the first line `## Draft` to the **last** line
 * `## Original mail`: below that heading every line is quoted, so nothing that came by mail can end or
 * begin a draft, and a draft may itself hold any line, `---` and headings included.
 *
 * @throws {NoteFormatError} saying what is wrong and what is expected.
 */
export function parseNote(text: string): Note {
  if (text.includes('\u0000')) throw new NoteFormatError('the note holds NUL bytes');
  const { front, body } = splitFrontMatter(text);
  const parsed = NoteFront.safeParse(front);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') || 'front matter';
    throw new NoteFormatError(`the front matter is not that of a task: ${where}: ${issue?.message ?? 'invalid'}`);
  }
  const lines = body.split('\n');
  const originalAt = lines.lastIndexOf(ORIGINAL_HEADING);
  const draftAt = lines.indexOf(DRAFT_HEADING);
  const isDraft = parsed.data.kind !== 'mail';
  if (isDraft && draftAt < 0) throw new NoteFormatError(`the line "${DRAFT_HEADING}" is missing`);
  if (isDraft && parsed.data.kind === 'email.reply' && originalAt < draftAt) {
    throw new NoteFormatError(`the line "${ORIGINAL_HEADING}" is missing below the draft; put it back under the text`);
  }
  const draftEnd = originalAt > draftAt ? originalAt : lines.length;
  const prefaceEnd = isDraft ? draftAt : originalAt < 0 ? lines.length : originalAt;
  return {
    front: parsed.data,
    preface: between(lines, 0, prefaceEnd),
    ...(isDraft ? { draft: between(lines, draftAt + 1, draftEnd) } : {}),
    ...(originalAt < 0 ? {} : { original: unquote(lines.slice(originalAt + 1)) }),
  };
}

/** Writes a task's note; `parseNote` reads back the same. */
export function renderNote(note: Note): string {
  const parts = [note.preface === '' ? '' : `\n${note.preface}\n`];
  if (note.draft !== undefined) parts.push(`\n${DRAFT_HEADING}\n\n${note.draft}\n`);
  if (note.original !== undefined) parts.push(`\n${ORIGINAL_HEADING}\n\n${quote(note.original)}\n`);
  return joinFrontMatter(note.front, parts.join(''));
}

/** The text between two headings, without the one blank line at each end that sets it off. */
function between(lines: readonly string[], from: number, to: number): string {
  const start = lines[from] === '' ? from + 1 : from;
  const end = to - 1 > start && lines[to - 1] === '' ? to - 1 : to;
  return lines.slice(start, Math.max(start, end)).join('\n');
}

function quote(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n');
}

function unquote(lines: readonly string[]): string {
  const quoted = lines.filter((line) => line.startsWith('>'));
  return quoted.map((line) => line.replace(/^> ?/, '')).join('\n');
}
