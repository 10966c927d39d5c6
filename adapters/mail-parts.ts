import type { AttachmentFact, ParsedMail } from '#protocol/mail.ts';
import { bounded } from './bounded-text.ts';
import { isBodyText } from './mail-body.ts';
import { readMessageId } from './mail-headers.ts';
import { allParts } from './mime-damage.ts';
import type { MimePart } from './mime-tree.ts';

const MAX_ATTACHMENTS = 200;
const MAX_NAME = 255;
const HEAD_BYTES = 64 * 1024;
const REPORT_PARTS: Readonly<Record<string, ParsedMail['report']>> = {
  'message/delivery-status': 'delivery-status',
  'message/global-delivery-status': 'delivery-status',
  'message/feedback-report': 'feedback-report',
  'message/disposition-notification': 'disposition-notification',
};
/** Parts that make up a mail or a report and are no attachments unless they have a name. */
const STRUCTURE = new Set([...Object.keys(REPORT_PARTS), 'text/rfc822-headers', 'text/calendar']);
const MAILS = new Set(['message/rfc822', 'message/global', 'text/rfc822-headers']);

/** What a mail's parts say besides its text. */
export type PartFacts = Pick<ParsedMail, 'attachments' | 'calendarMethod' | 'report' | 'reportedMessageId'>;

/** Reads attachments as facts, the method of a calendar part, and what a report is about. */
export function readParts(root: MimePart): PartFacts {
  const parts = [...allParts(root)];
  const leaves = parts.filter((part) => !part.type.startsWith('multipart/'));
  const report = reportOf(parts);
  const calendarMethod = leaves.map(calendarMethodOf).find((method) => method !== undefined);
  const reportedMessageId = report === undefined ? undefined : reportedIdOf(leaves);
  return {
    attachments: leaves
      .filter((part) => isAttachment(part, report !== undefined))
      .slice(0, MAX_ATTACHMENTS)
      .map(toFact),
    ...(calendarMethod === undefined ? {} : { calendarMethod }),
    ...(report === undefined ? {} : { report }),
    ...(reportedMessageId === undefined ? {} : { reportedMessageId }),
  };
}

/**
 * A file name that is safe to show and to write: the last segment of a path, no control or direction
 * characters, 255 characters with the extension kept.
 */
export function safeFilename(name: string | undefined, fallback: string): string {
  const last = (name ?? '').normalize('NFC').toWellFormed().split(/[\\/]/).at(-1) ?? '';
  const clean = last
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  if (clean === '') return fallback;
  if (clean.length <= MAX_NAME) return clean;
  const extension = /\.[^.]{1,10}$/.exec(clean)?.[0] ?? '';
  return bounded(clean, MAX_NAME - extension.length) + extension;
}

function isAttachment(part: MimePart, inReport: boolean): boolean {
  if (part.filename) return true;
  if (isBodyText(part) || STRUCTURE.has(part.type)) return false;
  return part.content !== undefined && !(inReport && MAILS.has(part.type));
}

function toFact(part: MimePart): AttachmentFact {
  return {
    name: safeFilename(part.filename, part.type === 'message/rfc822' ? 'message.eml' : 'unnamed'),
    type: bounded(part.type.replace(/[^!-~]/g, ''), 255),
    sizeBytes: part.content?.byteLength ?? 0,
  };
}

function calendarMethodOf(part: MimePart): string | undefined {
  if (part.type !== 'text/calendar' && part.type !== 'application/ics') return undefined;
  const method = part.params['method'] ?? /^METHOD:[ \t]*([\w-]+)/im.exec(startOf(part))?.[1];
  // A calendar that names none is one that was merely published (RFC 5546 §1.4).
  return bounded(
    (method ?? 'PUBLISH')
      .trim()
      .toUpperCase()
      .replace(/[^A-Z-]/g, ''),
    50,
  );
}

function reportOf(parts: readonly MimePart[]): ParsedMail['report'] {
  const named = parts.find((part) => part.type === 'multipart/report')?.params['report-type']?.toLowerCase();
  const types = ['delivery-status', 'feedback-report', 'disposition-notification'] as const;
  return types.find((type) => type === named) ?? parts.map((part) => REPORT_PARTS[part.type]).find(Boolean);
}

/** The mail that a report is about: in the mail or headers it encloses, or else in the fields of the report. */
function reportedIdOf(leaves: readonly MimePart[]): string | undefined {
  const enclosed = leaves.find((part) => MAILS.has(part.type));
  const field =
    enclosed && /^Message-ID:[ \t]*(?:\r?\n[ \t]+)?(.*)$/im.exec(headersOf(startOf(enclosed)))?.[1];
  const status = leaves.find((part) => part.type in REPORT_PARTS);
  const original = status && /^Original-Message-ID:[ \t]*(?:\r?\n[ \t]+)?(.*)$/im.exec(startOf(status))?.[1];
  return readMessageId(field) ?? readMessageId(original);
}

function headersOf(mail: string): string {
  return mail.split(/\r?\n\r?\n/, 1)[0] ?? '';
}

function startOf(part: MimePart): string {
  const bytes = part.content ?? new ArrayBuffer(0);
  return Buffer.from(bytes, 0, Math.min(bytes.byteLength, HEAD_BYTES)).toString('latin1');
}
