import { decodeWords } from 'postal-mime';
import type { ParsedMail } from '#protocol/mail.ts';
import { boundedWords, oneLine } from './bounded-text.ts';

const MAX_ID = 998;
const MAX_REFERENCES = 200;

/** The headers of one part, asked for by lower-case name. */
export interface MailHeaders {
  /** All values of a header, in order, unfolded. */
  all(name: string): readonly string[];
  /** The first value. */
  first(name: string): string | undefined;
}

/** Groups header fields by name. */
export function groupHeaders(
  fields: readonly { readonly key: string; readonly value: string }[],
): MailHeaders {
  const byName = new Map<string, string[]>();
  for (const { key, value } of fields) {
    const values = byName.get(key);
    if (values) values.push(value);
    else byName.set(key, [value]);
  }
  return {
    all: (name) => byName.get(name) ?? [],
    first: (name) => byName.get(name)?.[0],
  };
}

/** The subject, decoded, on one line; empty when there is none. */
export function readSubject(headers: MailHeaders): string {
  return oneLine(decodeWords(boundedWords(headers.first('subject') ?? '', 32_000)), MAX_ID);
}

/** The first message id of a header, with its angle brackets. */
export function readMessageId(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const start = value.slice(0, 10_000);
  const id = /<[^<>\s]+>/.exec(start)?.[0] ?? /[^\s<>]+@[^\s<>]+/.exec(start)?.[0];
  return id === undefined || id.length > MAX_ID || /\p{C}/u.test(id) ? undefined : id;
}

/** The message ids of `References`: the first one and the latest, 200 at most. */
export function readReferences(headers: MailHeaders): string[] {
  const ids: string[] = [];
  for (const [id] of headers
    .all('references')
    .join(' ')
    .matchAll(/<[^<>\s]{1,996}>/g)) {
    if (/\p{C}/u.test(id)) continue;
    // The beginning of a thread and its end matter; what lies between is dropped as it comes.
    if (ids.length >= MAX_REFERENCES) ids.splice(1, 1);
    ids.push(id);
  }
  return ids;
}

/** `Date` as ISO-8601 UTC; `undefined` when it is none. Without a zone it is read as UTC. */
export function readDate(headers: MailHeaders): string | undefined {
  const value = (headers.first('date') ?? '')
    .slice(0, 200)
    .replace(/\([^()]*\)/g, ' ')
    .trim();
  if (value === '') return undefined;
  const hasZone = /([+-]\d{2}:?\d{2}|[A-Z]{1,5})$/i.test(value);
  const at = new Date(hasZone ? value : `${value} +0000`);
  const year = at.getUTCFullYear();
  return year >= 1970 && year <= 9999 ? at.toISOString() : undefined;
}

type Automation = Pick<ParsedMail, 'autoSubmitted' | 'precedence' | 'list' | 'autoResponseSuppress'>;

/** What the headers say of a mail that no person typed (RFC 3834, RFC 2369, and what Outlook adds). */
export function readAutomation(headers: MailHeaders): Automation {
  const autoSubmitted = headers.all('auto-submitted').map(keyword);
  const told = autoSubmitted.find((word) => word !== 'no') ?? autoSubmitted[0];
  const older = ['x-autoreply', 'x-autorespond', 'x-autoresponder'].some(
    (name) => headers.first(name) !== undefined,
  );
  const marked = told ?? (older ? 'auto-replied' : undefined);
  const precedence = headers.first('precedence');
  const suppress = headers.first('x-auto-response-suppress');
  return {
    ...(marked === undefined ? {} : { autoSubmitted: marked }),
    ...(precedence === undefined ? {} : { precedence: keyword(precedence) }),
    list: ['list-id', 'list-unsubscribe', 'list-post'].some((name) => headers.first(name) !== undefined),
    autoResponseSuppress: suppress !== undefined && keyword(suppress) !== 'none',
  };
}

/** The word of a header before its parameters and comments, lower case. */
function keyword(value: string): string {
  return oneLine(value.slice(0, 1000).replace(/\([^()]*\)/g, ' '), 1000)
    .replace(/;.*/, '')
    .trim()
    .toLowerCase()
    .slice(0, 100);
}
