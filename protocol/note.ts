import { z } from 'zod';
import { NoteFormatError } from './errors.ts';
import { joinFrontMatter, splitFrontMatter } from './front-matter.ts';
import { TaskId } from './ids.ts';

export const DRAFT_HEADING = '## Draft';
export const ORIGINAL_HEADING = '## Original mail';

/** Would be shown as a callout of the note's own: it begins a quote, or one within it. */
const CALLOUT = /^([\s>]*)(\\?(\\*\[!))/;

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
 * Reads a task's note. The draft of an answer runs from the first line `## Draft` to the **last** line
 * `## Original mail`: below that heading every line is quoted, so nothing that came by mail can end or
 * begin a draft, and a draft may itself hold any line, `---` and headings included. That of a new mail
 * runs to the end of the note. Words below the quoted mail are refused, not left out: whoever wrote them
 * meant them to be sent; and so is a heading with nothing below it, where the note was cut short.
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
    throw new NoteFormatError(
      `the front matter is not that of a task: ${where}: ${issue?.message ?? 'invalid'}`,
    );
  }
  const lines = body.split('\n');
  const { kind } = parsed.data;
  const originalAt = kind === 'email.send' ? -1 : lines.lastIndexOf(ORIGINAL_HEADING);
  const draftAt = lines.indexOf(DRAFT_HEADING);
  const isDraft = kind !== 'mail';
  if (isDraft && draftAt < 0) throw new NoteFormatError(`the line "${DRAFT_HEADING}" is missing`);
  if (kind === 'email.reply' && originalAt < draftAt) {
    throw new NoteFormatError(
      `the line "${ORIGINAL_HEADING}" is missing below the draft; put it back under the text`,
    );
  }
  if (kind === 'email.reply') requireQuoted(lines.slice(originalAt + 1));
  const draftEnd = originalAt > draftAt ? originalAt : lines.length;
  const prefaceEnd = isDraft ? draftAt : originalAt < 0 ? lines.length : originalAt;
  return {
    front: parsed.data,
    preface: between(lines, 0, prefaceEnd),
    ...(isDraft ? { draft: between(lines, draftAt + 1, draftEnd) } : {}),
    ...(originalAt < 0 ? {} : { original: unquote(lines.slice(originalAt + 1)) }),
  };
}

/**
 * Writes a task's note; `parseNote` reads back the same. Line ends become `\n`, and what is no text (NUL,
 * half a surrogate pair) U+FFFD. A line of the preface that reads like one of the headings gets a `\` before it.
 *
 * @throws {NoteFormatError} when the parts are not those of the kind: an answer has draft and original, a
 * new mail a draft alone, a mail no draft.
 */
export function renderNote(note: Note): string {
  const { kind } = note.front;
  if ((kind === 'mail') === (note.draft !== undefined)) {
    throw new NoteFormatError(`a note of kind ${kind} ${kind === 'mail' ? 'has no draft' : 'needs a draft'}`);
  }
  if (kind !== 'mail' && (kind === 'email.reply') === (note.original === undefined)) {
    throw new NoteFormatError(
      `a note of kind ${kind} ${kind === 'email.send' ? 'has no' : 'needs the'} original mail`,
    );
  }
  const parts = [note.preface === '' ? '' : `\n${withoutHeadings(cleaned(note.preface))}\n`];
  if (note.draft !== undefined) parts.push(`\n${DRAFT_HEADING}\n\n${cleaned(note.draft)}\n`);
  if (note.original !== undefined) parts.push(`\n${ORIGINAL_HEADING}\n\n${quote(cleaned(note.original))}\n`);
  return joinFrontMatter(note.front, parts.join(''));
}

function requireQuoted(below: readonly string[]): void {
  const stray = below.find((line) => line.trim() !== '' && !line.startsWith('>'));
  if (stray !== undefined) {
    throw new NoteFormatError(
      `the words ${JSON.stringify(stray.slice(0, 40))} stand below the original mail and would not be sent; ` +
        `move them above the line "${ORIGINAL_HEADING}" or delete them`,
    );
  }
  if (!below.some((line) => line.startsWith('>'))) {
    throw new NoteFormatError(
      `nothing is quoted (a line >) below "${ORIGINAL_HEADING}": the note was cut short`,
    );
  }
}

/** A bare CR would begin a new line once the note is read, one that nobody quoted. */
function cleaned(text: string): string {
  return text.replace(/\r\n?/g, '\n').replaceAll('\u0000', '\ufffd').toWellFormed();
}

function withoutHeadings(preface: string): string {
  return preface
    .split('\n')
    .map((line) => (line === DRAFT_HEADING || line === ORIGINAL_HEADING ? `\\${line}` : line))
    .join('\n');
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
    .map((line) => (line === '' ? '>' : `> ${line.replace(CALLOUT, '$1\\$2')}`))
    .join('\n');
}

function unquote(lines: readonly string[]): string {
  const quoted = lines.filter((line) => line.startsWith('>'));
  return quoted.map((line) => line.replace(/^> ?/, '').replace(CALLOUT, '$1$3')).join('\n');
}
