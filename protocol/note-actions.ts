import { Action, PlainAddress } from './action.ts';
import type { ActionAttachment } from './action.ts';
import { NoteFormatError } from './errors.ts';
import { answerReferences } from './mail.ts';
import type { MailRecord } from './mail.ts';
import type { Note } from './note.ts';

/** What an action needs beside the note: who sends, what is answered, and the attached files' hashes. */
export interface ActionContext {
  readonly from: string;
  readonly mail?: MailRecord | undefined;
  readonly attachments: readonly ActionAttachment[];
}

/**
 * The actions that a note stands for, in order. Recipients, subject and words come from the note, which
 * a person can edit; threading comes from the mail's record, by code.
 *
 * @throws {NoteFormatError} when the note has no draft or a field cannot be sent as it stands.
 */
export function actionsOf(note: Note, context: ActionContext): readonly Action[] {
  const { front } = note;
  if (front.kind === 'mail' || note.draft === undefined) {
    throw new NoteFormatError('the note has no draft to approve');
  }
  const named = front.attachments ?? [];
  const loaded = context.attachments.map(({ path }) => path);
  if (named.length !== loaded.length || named.some((path, index) => path !== loaded[index])) {
    throw new NoteFormatError('the attached files are not the ones that the note names');
  }
  const shared = {
    from: context.from,
    to: (front.to ?? []).map((text) => bareAddress(text)),
    cc: (front.cc ?? []).map((text) => bareAddress(text)),
    subject: front.subject ?? '',
    text: note.draft,
    attachments: [...context.attachments],
  };
  const candidate =
    front.kind === 'email.send'
      ? { kind: front.kind, ...shared }
      : { kind: front.kind, ...shared, ...threading(context.mail) };
  const parsed = Action.safeParse(candidate);
  if (parsed.success) return [parsed.data];
  const issue = parsed.error.issues[0];
  throw new NoteFormatError(
    `cannot be sent as it stands: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}

/**
 * `Name <a@b>` or `a@b` → `a@b`.
 *
 * @throws {NoteFormatError} when it is no address, or more than one: each recipient is an item of its own.
 */
export function bareAddress(text: string): string {
  const [, name = '', address = text] = /^([^<>]*)<([^<>]*)>\s*$/.exec(text) ?? [];
  // `a@b, Name <c@d>` reads as two recipients, and only the second would get the mail.
  if (name.includes('@') && /[,;]/.test(name))
    throw new NoteFormatError(`${JSON.stringify(text)} is more than one mail address`);
  const parsed = PlainAddress.safeParse(address.trim());
  if (!parsed.success) throw new NoteFormatError(`${JSON.stringify(text)} is not a mail address`);
  return parsed.data;
}

function threading(mail: MailRecord | undefined): { inReplyTo?: string; references: string[] } {
  if (!mail) throw new NoteFormatError('the mail that this answers is not in the ledger');
  const clean = (id: string): boolean => /^<[^<>\s]+>$/.test(id);
  const references = answerReferences(mail).filter(clean);
  return mail.messageId && clean(mail.messageId) ? { inReplyTo: mail.messageId, references } : { references };
}
