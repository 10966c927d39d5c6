import { visibleLine } from './visible.ts';

/** What was done against the person's hand, as the note itself says it. */
export interface Explanation {
  /** Two or three words, such as `put back`. */
  readonly what: string;
  /** One or two sentences. They may name files and quote the note; nothing in them acts as Markdown. */
  readonly why: string;
}

const TITLE = '> [!warning] AI Employee: ';
const MAX_WORDS = 600;

const FRONT = /^\ufeff?---(?:\r\n?|\n)(?:[^]*?(?:\r\n?|\n))?---(?:\r\n?|\n|$)/;
const CALLOUT = /^[\r\n]*> \[!warning\] AI Employee: [^\r\n]*(?:\r\n?|\n)>[^\r\n]*(?:\r\n?|\n|$)/;

/** A note's text in three parts. */
interface Parts {
  /** The front matter with its two lines of dashes, or the byte order mark, or nothing. */
  readonly head: string;
  readonly callout: string;
  readonly rest: string;
}

/**
 * A note with this explanation, and no other, as a callout of two lines right below its front matter
 * (without front matter: at its very top). There it is a part of the words for the person, never of a
 * draft. The rest stays as it is, line ends included.
 *
 * @param explanation `undefined` takes away the one that stands there.
 */
export function withExplanation(text: string, explanation: Explanation | undefined): string {
  if (!explanation) return withCallout(text, '');
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = [TITLE + plainWords(explanation.what), `> ${plainWords(explanation.why)}`, ''].join(end);
  return withCallout(text, lines);
}

/** The callout that explains, as it stands in a note; empty without one. */
export function calloutOf(text: string): string {
  return takeApart(text).callout.replace(/^[\r\n]+/, '');
}

/** A note with another one's callout in the place of its own. */
export function withCallout(text: string, callout: string): string {
  const { head, rest } = takeApart(text);
  if (callout === '') return head + rest;
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  if (!hasFront(head)) return head + callout + end + rest;
  const above = /[\r\n]$/.test(head) ? end : end + end;
  // Without a blank line below it the next paragraph would be a part of the callout.
  const below = rest === '' || /^[\r\n]/.test(rest) ? '' : end;
  return head + above + callout + below + rest;
}

/** Whether two notes say the same but for what they explain. */
export function sameBesideExplanation(a: string, b: string): boolean {
  const [one, other] = [takeApart(a), takeApart(b)];
  const trimmed = (text: string): string => text.replace(/^[\r\n]+/, '');
  return trimmed(one.head) === trimmed(other.head) && trimmed(one.rest) === trimmed(other.rest);
}

function takeApart(text: string): Parts {
  const head = FRONT.exec(text)?.[0] ?? (text.startsWith('\ufeff') ? '\ufeff' : '');
  const below = text.slice(head.length);
  const callout = CALLOUT.exec(below)?.[0] ?? '';
  const rest = below.slice(callout.length);
  // The blank line that sets it off from words without front matter came with it.
  return { head, callout, rest: callout === '' || hasFront(head) ? rest : rest.replace(/^(?:\r\n?|\n)/, '') };
}

function hasFront(head: string): boolean {
  return head.includes('---');
}

/** Words on one line in which nothing is a link, an embed, a tag, a comment or HTML. */
function plainWords(words: string): string {
  return visibleLine(words, MAX_WORDS)
    .replace(/[\\`*[\]<>#|$]/g, '\\$&')
    .replaceAll('%%', '% %')
    .replaceAll('://', ': //');
}
