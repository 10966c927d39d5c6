import { senderTrust } from '#protocol/mail.ts';
import type { AttachmentFact, Delivery, MailRecord, ParsedMail } from '#protocol/mail.ts';
import { renderNote } from '#protocol/note.ts';
import { visibleLine } from '#protocol/visible.ts';
import { warningWords } from '#protocol/warning-words.ts';
import type { Classification } from './classify.ts';

/** Everything that a note about a mail is made of. */
export interface MailNoteSource {
  readonly taskId: string;
  readonly delivery: Delivery;
  readonly record: MailRecord;
  /** Absent when the mail was not, or could not be, read. */
  readonly mail: ParsedMail | undefined;
  readonly classification: Classification;
  /** The name of the note whose answer this report (a bounce, a complaint) is about. */
  readonly reportedNote?: string | undefined;
}

const MAX_LISTED = 50;

/**
 * The note of a mail, before any draft: what it is and why it is here in plain words, the mail quoted below.
 * A quarantined mail is not quoted: its note says why and where the raw mail is kept. Whatever of the mail
 * stands outside of the quote is one line in which nothing is invisible.
 */
export function mailNote(source: MailNoteSource): string {
  const { taskId, record, mail, classification } = source;
  const isQuarantined = classification.verdict === 'quarantine';
  const from = mail?.from.map(({ name, address }) => (name ? `${name} <${address}>` : address)).join(', ');
  const text = mail?.text ?? '';
  return renderNote({
    front: {
      task: taskId,
      kind: 'mail',
      subject: visibleLine(record.subject, 300),
      from: visibleLine(from ?? `${record.envelopeFrom || 'nobody'} (envelope)`, 300),
      received: record.receivedAt,
      sender: senderWords(mail, record),
      verdict: `${classification.verdict}: ${classification.reason}`,
      ...(classification.warnings.length === 0 ? {} : { warnings: [...classification.warnings] }),
    },
    preface: preface(source),
    ...(isQuarantined || !mail ? {} : { original: quotable(text === '' ? '(no text)' : text) }),
  });
}

/** SES's verdicts on the sender in one plain sentence. */
function senderWords(mail: ParsedMail | undefined, { authentication }: MailRecord): string {
  const checks = `SPF ${authentication.spf}, DKIM ${authentication.dkim}, DMARC ${authentication.dmarc}`;
  switch (senderTrust(mail?.from ?? [], authentication)) {
    case 'authenticated':
      return `proved: the domain it names stands behind it (${checks})`;
    case 'unproved':
      return `not proved: it may have been written by somebody else (${checks})`;
    case 'failed':
      return `failed: the domain it names does not stand behind it (${checks})`;
    case 'ambiguous':
      return `unclear: it does not name exactly one sender (${checks})`;
  }
}

function preface({ delivery, mail, classification, reportedNote }: MailNoteSource): string {
  const { verdict, words, warnings } = classification;
  const attachments = mail?.attachments ?? [];
  const heading = {
    respond: `${words} A draft of an answer is being written.`,
    notify: `${words} No answer is drafted.`,
    ignore: words,
    quarantine: `**Quarantined.** ${words} Its text is not shown here.`,
  }[verdict];
  const needsRaw = verdict === 'quarantine' || attachments.length > 0 || mail?.textTruncated === true;
  return [
    heading,
    ...warnings.map((code) => `> [!warning] ${warningWords(code)}`),
    ...(reportedNote === undefined ? [] : [`It is about the answer in ${code(reportedNote)}.`]),
    ...(attachments.length === 0 ? [] : [attachmentList(attachments)]),
    ...(mail?.textTruncated === true ? ['The text is longer than what is quoted below.'] : []),
    ...(needsRaw
      ? [`The complete mail is kept in ${code(`s3://${delivery.raw.bucket}/${delivery.raw.key}`)}.`]
      : []),
  ].join('\n\n');
}

function attachmentList(attachments: readonly AttachmentFact[]): string {
  const listed = attachments
    .slice(0, MAX_LISTED)
    .map(({ name, type, sizeBytes }) => `- ${code(name || 'unnamed')}, ${code(type)}, ${size(sizeBytes)}`);
  const more = attachments.length - listed.length;
  return ['Attachments (not opened):', '', ...listed, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n');
}

/** Inside a code span nothing is a link, an embed or HTML. */
function code(text: string): string {
  return `\`${visibleLine(text, 200).replaceAll('`', "'")}\``;
}

function size(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} bytes`;
  const kilobytes = sizeBytes / 1024;
  return kilobytes < 1024 ? `${Math.round(kilobytes)} KB` : `${(kilobytes / 1024).toFixed(1)} MB`;
}

/**
 * The text of a mail such that a Markdown viewer shows it and does nothing else: an image would be loaded
 * (and tell the sender that it was seen), an embed or a tag would show something else than the mail.
 */
function quotable(text: string): string {
  return text
    .replace(/!(?=\[)/g, '!\\')
    .replace(/<(?=[a-z!/?])(?!(?:https?:|mailto:|[^\s<>@]{1,100}@))/gi, '\\<')
    .replace(/[^\P{Cc}\n\t\r]/gu, '\ufffd');
}
