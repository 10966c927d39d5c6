import { randomBytes, randomUUID } from 'node:crypto';
import { buildHeaderValue, detectMimeType } from 'nodemailer/lib/mime-funcs';
import { encodedWords, headerOfParts, headerOfText } from './header-lines.ts';
import { base64Lines, encodeText } from './transfer-encoding.ts';

/** A mail as it was approved. Addresses are ASCII, without names; message ids stand in angle brackets. */
export interface MailToCompose {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly inReplyTo?: string | undefined;
  readonly references: readonly string[];
  readonly attachments: readonly { readonly name: string; readonly bytes: Buffer }[];
}

/**
 * Writes the message (RFC 5322, MIME). The decoded text has the bytes of `text`, subject and names come
 * back as they are. There is no `Bcc`, no name of the program, and no `Auto-Submitted`: a person approved
 * this mail, so it is no automatic one (RFC 3834 §5).
 *
 * @param at.messageId with angle brackets. SES puts its own in its place.
 * @default at.messageId random, at the domain of `from`
 */
export function composeMail(mail: MailToCompose, at: { date: Date; messageId?: string }): Buffer {
  const domain = mail.from.slice(mail.from.lastIndexOf('@') + 1);
  const headers = [
    headerOfParts('From', [mail.from], ','),
    headerOfParts('To', mail.to, ','),
    ...(mail.cc.length > 0 ? [headerOfParts('Cc', mail.cc, ',')] : []),
    ...(mail.subject === '' ? [] : [headerOfText('Subject', mail.subject)]),
    ...(mail.inReplyTo === undefined ? [] : [headerOfParts('In-Reply-To', [mail.inReplyTo], '')]),
    ...(mail.references.length > 0 ? [headerOfParts('References', mail.references, '')] : []),
    headerOfParts('Date', at.date.toUTCString().replace('GMT', '+0000').split(' '), ''),
    headerOfParts('Message-ID', [at.messageId ?? `<${randomUUID()}@${domain}>`], ''),
    'MIME-Version: 1.0\r\n',
  ];
  const { encoding, body } = encodeText(mail.text, { alone: mail.attachments.length === 0 });
  const text = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`;
  if (mail.attachments.length === 0) return Buffer.from(`${headers.join('')}${text}`);
  const boundary = `=_${randomBytes(16).toString('hex')}`;
  const parts = [text, ...mail.attachments.map(attachmentPart)].map((part) => `--${boundary}\r\n${part}`);
  return Buffer.from(
    `${headers.join('')}Content-Type: multipart/mixed;\r\n boundary="${boundary}"\r\n\r\n` +
      `${parts.join('')}--${boundary}--\r\n`,
  );
}

function attachmentPart({ name, bytes }: MailToCompose['attachments'][number]): string {
  // RFC 2231 in the one place, RFC 2047 in the other: old readers know only the latter.
  const disposition = buildHeaderValue({ value: 'attachment', params: { filename: name } });
  const oldName = /^[\w.-]{1,60}$/.test(name) ? [name] : encodedWords(name);
  return (
    foldedAtParameters('Content-Type', `${attachmentType(name)}; name="${oldName.join('\r\n ')}"`) +
    foldedAtParameters('Content-Disposition', disposition) +
    `Content-Transfer-Encoding: base64\r\n\r\n${base64Lines(bytes)}`
  );
}

/** A message in Base64 is forbidden (RFC 2046 §5.2.1), and a multipart would be taken apart. */
function attachmentType(name: string): string {
  const type = detectMimeType(name);
  return /^(message|multipart)\//i.test(type) ? 'application/octet-stream' : type;
}

function foldedAtParameters(name: string, value: string): string {
  return `${name}: ${value.replaceAll('; ', ';\r\n ')}\r\n`;
}
