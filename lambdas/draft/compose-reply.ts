import type { MailRecord } from '#protocol/mail.ts';
import { parseNote } from '#protocol/note.ts';
import type { Note } from '#protocol/note.ts';
import type { Model } from '#protocol/ports.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { StandingOrders } from './standing-orders.ts';

/** Words for an answer, ready to stand in a note. */
export interface ComposedReply {
  /** The note that is answered, taken apart. */
  readonly note: Note;
  readonly text: string;
  readonly writtenBy: string;
  /** Codes of what the person should know about the words. */
  readonly warnings: readonly string[];
  /** Triage's reason, kept while it is still the latest word on the task. */
  readonly reason?: string;
}

interface ReplySource {
  readonly view: TaskView;
  readonly mail: MailRecord;
  /** The task's note as it stands. */
  readonly noteText: string;
  readonly orders: StandingOrders;
}

const MAX_REPLY_BYTES = 100 * 1024;

/** Written when the model fails: it promises nothing. */
const FALLBACK_TEXT = 'Hello,\n\nThank you for your message. I have read it and will come back to you.';

/**
 * Asks the model for the words of an answer and checks them: some text, at most 100 KB, no NUL. A model that
 * fails or answers anything else costs its words and nothing more: a built-in text takes their place and
 * the note says so.
 *
 * @throws {NoteFormatError} when the task's note cannot be read.
 */
export async function composeReply(source: ReplySource, model: Model): Promise<ComposedReply> {
  const { view, mail, orders } = source;
  const note = parseNote(source.noteText);
  // Triage wrote the first reason; any later one is the person's, who sent a draft back.
  const isSentBack = view.updatedN > view.createdN;
  const orderWarnings = orders.unreadable.length > 0 ? ['standing-orders-unreadable'] : [];
  const shared = { note, ...(isSentBack || view.reason === undefined ? {} : { reason: view.reason }) };
  try {
    const reply = await model.compose({
      taskId: view.taskId,
      mail,
      text: note.original ?? '',
      templates: orders.templates,
      ...(orders.handbook === undefined ? {} : { handbook: orders.handbook }),
      ...(isSentBack && view.reason !== undefined ? { note: view.reason } : {}),
    });
    const text = checkedText(reply.text);
    const foreign = hasForeignLinks(text, source) ? ['link-in-draft'] : [];
    const writtenBy = checkedName(reply.writtenBy);
    return { ...shared, text, writtenBy, warnings: [...orderWarnings, ...foreign] };
  } catch {
    return {
      ...shared,
      text: FALLBACK_TEXT,
      writtenBy: 'built-in',
      warnings: [...orderWarnings, 'model-failed'],
    };
  }
}

function checkedText(reply: unknown): string {
  if (typeof reply !== 'string') throw new Error('the model answered no text');
  if (Buffer.byteLength(reply) > MAX_REPLY_BYTES) throw new Error('the model wrote more than an answer');
  const text = reply.replace(/\r\n?/g, '\n').toWellFormed().trim();
  if (text === '' || text.includes('\u0000')) throw new Error('the model wrote nothing that can be sent');
  return text;
}

function checkedName(writtenBy: unknown): string {
  const name = typeof writtenBy === 'string' ? writtenBy.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim() : '';
  return name.slice(0, 200) || 'unknown';
}

/** Web and mail addresses in the draft that neither the owner's own texts nor the sender's address hold. */
function hasForeignLinks(text: string, { orders, mail }: ReplySource): boolean {
  const own = [
    orders.handbook ?? '',
    ...orders.templates.map((template) => template.text),
    mail.from?.address ?? '',
  ]
    .join('\n')
    .toLowerCase();
  const links =
    text.match(/(?:https?:\/\/|www\.)[^\s<>"')\]]+|[^\s<>"'(),;:[\]@]{1,64}@[^\s<>"'(),;:[\]@]{1,253}/gi) ??
    [];
  return links.some((link) => !own.includes(link.replace(/[.,;:!?]+$/, '').toLowerCase()));
}
