import type { Address, ParsedMail } from '#protocol/mail.ts';
import { UnreadableMailError } from '#protocol/mail-errors.ts';
import { parseAddressList } from './address-list.ts';
import { readBody } from './mail-body.ts';
import {
  groupHeaders,
  readAutomation,
  readDate,
  readMessageId,
  readReferences,
  readSubject,
  type MailHeaders,
} from './mail-headers.ts';
import { readParts } from './mail-parts.ts';
import { findDamage } from './mime-damage.ts';
import { parseMimeTree, type MimeLimits } from './mime-tree.ts';

/** Limits that no mail of a person comes near. */
export const MIME_LIMITS: MimeLimits = { maxDepth: 100, maxHeaderBytes: 1024 * 1024, maxParts: 1000 };

const HEAD_BYTES = 64 * 1024;
const MAX_DEFECTS = 50;

/**
 * Reads a raw mail (RFC 5322, MIME). Strings of the result are bounded as `ParsedMail` says; nothing in it
 * is trusted. Depends on the bytes alone.
 *
 * `defects` names what makes the reading doubtful (a multipart that breaks off, a text that cannot be
 * decoded, a line among the headers that is none): a mail with a defect is for a person, not for a draft.
 *
 * @throws {UnreadableMailError} when the bytes are no mail, name no sender, or go over a limit.
 */
export async function parseMail(raw: ArrayBuffer, limits: MimeLimits = MIME_LIMITS): Promise<ParsedMail> {
  const bytes = new Uint8Array(raw);
  refuseNoMail(bytes);
  const root = await parseMimeTree(raw, limits);
  const headers = groupHeaders(root.headers);
  const from = readSenders(headers);
  const { defects: textDefects, ...body } = readBody(root);
  const damage = findDamage(root, bytes);
  if (damage.length > 0 && textDefects.length > 0) {
    throw new UnreadableMailError(`${damage[0] ?? ''}, and ${textDefects[0] ?? ''}`);
  }
  const messageId = readMessageId(headers.first('message-id'));
  const inReplyTo = readMessageId(headers.first('in-reply-to'));
  const date = readDate(headers);
  return {
    ...(messageId === undefined ? {} : { messageId }),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    references: readReferences(headers),
    from,
    replyTo: addresses(headers, 'reply-to', 50),
    to: addresses(headers, 'to', 500),
    cc: addresses(headers, 'cc', 500),
    subject: readSubject(headers),
    ...(date === undefined ? {} : { date }),
    ...body,
    ...readAutomation(headers),
    ...readParts(root),
    defects: [...damage, ...textDefects].slice(0, MAX_DEFECTS).map((defect) => defect.slice(0, 200)),
  };
}

function refuseNoMail(bytes: Uint8Array): void {
  if (bytes.byteLength === 0) throw new UnreadableMailError('it is empty');
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD_BYTES)).toString(
    'latin1',
  );
  const headers = head.split(/\r?\n\r?\n/, 1)[0] ?? '';
  if (!/^[!-9;-~]{1,100}[ \t]*:/m.test(headers))
    throw new UnreadableMailError('it does not begin with headers');
}

/**
 * Every address of every `From`. A bare word such as `MAILER-DAEMON`, which bounces come from, counts as
 * an address where there is no other.
 */
function readSenders(headers: MailHeaders): Address[] {
  const values = headers.all('from');
  if (values.length === 0) throw new UnreadableMailError('it names no sender (From)');
  const found = addresses(headers, 'from', 50);
  if (found.length > 0) return found;
  const word = /^\s*"?([A-Za-z0-9._-]{1,100})"?\s*(?:\([^()]*\)\s*)?$/.exec(values[0] ?? '')?.[1];
  if (values.length === 1 && word !== undefined) return [{ address: word }];
  throw new UnreadableMailError('its sender (From) is no address');
}

function addresses(headers: MailHeaders, name: string, limit: number): Address[] {
  const found: Address[] = [];
  for (const value of headers.all(name)) {
    if (found.length >= limit) break;
    found.push(...parseAddressList(value, limit - found.length));
  }
  return found;
}
