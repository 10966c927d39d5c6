import { PlainAddress } from '#protocol/action.ts';
import { answerSubject } from '#protocol/mail.ts';
import type { MailRecord } from '#protocol/mail.ts';
import { actionsOf } from '#protocol/note-actions.ts';
import { parseNote, renderNote } from '#protocol/note.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { warningWords } from '#protocol/warning-words.ts';
import type { ComposedReply } from './compose-reply.ts';

interface ReplyNoteSource {
  readonly view: TaskView;
  readonly mail: MailRecord;
  readonly reply: ComposedReply;
  readonly fromAddress: string;
}

/** What the draft itself adds to the warnings that triage wrote into the note. */
const OF_THE_DRAFT = ['model-failed', 'link-in-draft', 'standing-orders-unreadable', 'cannot-be-sent'];

/**
 * The note with the draft in it. Recipients and subject come from the mail's record, by code: whatever the
 * model wrote, the answer goes to whom the mail said. The original stays below.
 *
 * @returns the note's text, and all warnings of the task.
 */
export function replyNote(source: ReplyNoteSource): {
  readonly text: string;
  readonly warnings: readonly string[];
} {
  const { reply, view } = source;
  const warnings = [...new Set([...view.warnings, ...reply.warnings])];
  const text = render(source, warnings);
  if (canBeSent(text, source)) return { text, warnings };
  warnings.push('cannot-be-sent');
  return { text: render(source, warnings), warnings };
}

function render({ mail, reply }: ReplyNoteSource, warnings: readonly string[]): string {
  const { note } = reply;
  const { from, received, sender, verdict } = note.front;
  return renderNote({
    // What will be sent stands first, what this is about below it.
    front: {
      task: note.front.task,
      kind: 'email.reply',
      to: mail.answerTo
        .map(({ address }) => address)
        .filter((address) => PlainAddress.safeParse(address).success),
      cc: [],
      subject: headerText(answerSubject(mail.subject)),
      attachments: [],
      ...Object.fromEntries(Object.entries({ from, received, sender, verdict }).filter(([, value]) => value)),
      written_by: reply.writtenBy,
      ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
    },
    preface: preface(note.preface, reply, warnings),
    draft: reply.text,
    original: note.original ?? '(no text)',
  });
}

function preface(before: string, reply: ComposedReply, warnings: readonly string[]): string {
  const kept = before
    .replace(' A draft of an answer is being written.', '')
    .split('\n')
    .filter(
      (line) => !line.startsWith(HINT) && !OF_THE_DRAFT.some((code) => line.endsWith(warningWords(code))),
    )
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  const said = warnings
    .filter((code) => OF_THE_DRAFT.includes(code))
    .map((code) => `> [!warning] ${warningWords(code)}`);
  return [
    kept,
    ...said,
    `${HINT} (written by ${reply.writtenBy.replaceAll('`', "'")}). Edit it, then approve or reject it.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const HINT = 'Below is a draft of the answer';

/** Characters that are no text, or that turn the reading order round, have no place in a subject. */
function headerText(subject: string): string {
  const line = subject
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return line.toWellFormed().slice(0, 990).toWellFormed();
}

function canBeSent(text: string, { mail, fromAddress, reply }: ReplyNoteSource): boolean {
  try {
    const [action] = actionsOf(parseNote(text), { from: fromAddress, mail, attachments: [] });
    return action?.text === reply.text;
  } catch {
    return false;
  }
}
