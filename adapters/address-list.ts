import { decodeWords } from 'postal-mime';
import type { Address } from '#protocol/mail.ts';
import { boundedWords, oneLine } from './bounded-text.ts';

const MAX_NAME = 500;
const MAX_ADDRESS = 320;

/** What one header holds between two commas, taken apart. */
interface Mailbox {
  /** Words outside of angle brackets, comments left out, encoded words as they stand. */
  words: string;
  comments: string;
  /** What stood in each pair of angle brackets. */
  angles: string[];
  /** Where the words continue after an angle bracket. */
  afterAngle: string;
}

/**
 * Every mailbox of an address header (RFC 5322 §3.4), members of groups included, in order.
 *
 * Made for judging a sender: where a header can be read as one address or as two, it is read as two. An
 * address is never taken out of an encoded word, a comment or a quoted name, which is where a mail shows
 * one sender to a person and another to a program. What is no address at all is left out.
 *
 * @example parseAddressList('"boss@a.example" <x@b.example>') // [{ name: 'boss@a.example', address: 'x@b.example' }]
 */
export function parseAddressList(header: string, limit = 1000): Address[] {
  const found: Address[] = [];
  for (const mailbox of mailboxes(header)) {
    for (const address of addressesOf(mailbox)) {
      if (found.length >= limit) return found;
      found.push(address);
    }
  }
  return found;
}

function addressesOf(mailbox: Mailbox): Address[] {
  if (mailbox.angles.length === 0) {
    const words = mailbox.words.split(/\s+/).filter((word) => word.includes('@'));
    // `a @ b` with blanks around the sign is one address in old mails.
    const joined = words.length === 1 && words[0] === '@' ? [mailbox.words.replace(/\s+/g, '')] : words;
    const alone = joined.filter(isAddress);
    const name = nameOf(mailbox.comments);
    return alone.map((address) => (alone.length === 1 && name ? { name, address } : { address }));
  }
  const name = nameOf(mailbox.words.trim() || mailbox.comments);
  const angles = mailbox.angles
    .map((angle) => angle.replace(/^@[^:]*:/, '').replace(/\s+/g, ''))
    .filter(isAddress)
    .map((address) => (name ? { name, address } : { address }));
  const behind = mailbox.afterAngle.split(/\s+/).filter(isAddress);
  return [...angles, ...behind.map((address) => ({ address }))];
}

function isAddress(text: string): boolean {
  if (text.length > MAX_ADDRESS || text.startsWith('=?')) return false;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (at < 1 || !/^[^\s@<>(),;:"\p{C}]+$/u.test(domain)) return false;
  return /^"[^"\p{C}]*"$/u.test(local) || /^[^\s@<>(),;:"\p{C}]+$/u.test(local);
}

function nameOf(words: string): string {
  return oneLine(decodeWords(boundedWords(words, 8 * MAX_NAME)), MAX_NAME);
}

function* mailboxes(header: string): Generator<Mailbox> {
  let current = emptyMailbox();
  for (const token of tokens(header)) {
    const { kind, text } = token;
    if (kind === 'comment') current.comments += ` ${text}`;
    else if (kind === 'angle') current.angles.push(text);
    else if (kind === 'separator') {
      // What stood before a colon was a group's name.
      if (text !== ':') yield current;
      current = emptyMailbox();
    } else if (current.angles.length > 0 && kind === 'word') current.afterAngle += text;
    else current.words += text;
  }
  yield current;
}

function emptyMailbox(): Mailbox {
  return { words: '', comments: '', angles: [], afterAngle: '' };
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'comment' | 'angle' | 'separator';
  readonly text: string;
}

/** One pass over the header; whatever does not close runs to its end. */
function* tokens(header: string): Generator<Token> {
  let at = 0;
  while (at < header.length) {
    const char = header.charAt(at);
    if (char === '"') {
      const { text, end } = quoted(header, at);
      // A quoted local part belongs to the address that follows it.
      const isLocalPart = header.charAt(end) === '@';
      yield { kind: isLocalPart ? 'word' : 'quoted', text: isLocalPart ? `"${text}"` : text };
      at = end;
    } else if (char === '(') {
      const { text, end } = comment(header, at);
      yield { kind: 'comment', text };
      at = end;
    } else if (char === '<') {
      const close = header.indexOf('>', at);
      const end = close < 0 ? header.length : close;
      yield { kind: 'angle', text: header.slice(at + 1, end) };
      at = end + 1;
    } else if (char === ',' || char === ';' || char === ':') {
      yield { kind: 'separator', text: char };
      at += 1;
    } else {
      const start = at;
      while (at < header.length && !'"(<,;:'.includes(header.charAt(at))) at += 1;
      yield { kind: 'word', text: header.slice(start, at) };
    }
  }
}

function quoted(header: string, start: number): { text: string; end: number } {
  const parts: string[] = [];
  let at = start + 1;
  for (; at < header.length; at += 1) {
    const char = header.charAt(at);
    if (char === '"') return { text: parts.join(''), end: at + 1 };
    if (char === '\\') at += 1;
    parts.push(header.charAt(at));
  }
  return { text: parts.join(''), end: at };
}

function comment(header: string, start: number): { text: string; end: number } {
  const parts: string[] = [];
  let depth = 0;
  let at = start;
  for (; at < header.length; at += 1) {
    const char = header.charAt(at);
    if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === '\\') at += 1;
    if (depth === 0) return { text: parts.join(''), end: at + 1 };
    if (char !== '(' && char !== ')') parts.push(header.charAt(at));
  }
  return { text: parts.join(''), end: at };
}
