import { splitFrontMatter } from './front-matter.ts';
import { mergeFrontMatter } from './merge-front-matter.ts';
import { threeWay } from './merge-lines.ts';

/** Larger texts are not merged: two versions of them are kept side by side. */
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_LINES = 20_000;

/** A text as its lines, with what holds for all of them. */
interface Lines {
  readonly bom: boolean;
  /** `mixed`: the lines keep their carriage returns. `none`: there is no line break to tell by. */
  readonly ends: 'lf' | 'crlf' | 'mixed' | 'none';
  readonly finalBreak: boolean;
  readonly lines: readonly string[];
}

/**
 * The clean merge of two versions of one file, or `undefined` where a person has to choose: both changed
 * the same or neighbouring lines or the same key of the front matter, there is no common base, or a
 * version is not UTF-8 text of a bearable size. Front matter is merged key by key, what stands below by
 * lines; line ends, byte order mark and the last line break each follow the side that changed them.
 * The order of the two sides does not matter. Never holds conflict markers.
 *
 * @param base what both were made from; `undefined` when both were made anew.
 * @example mergeBytes(utf8('a\nb\nc\n'), utf8('A\nb\nc\n'), utf8('a\nb\nC\n')) // 'A\nb\nC\n'
 */
export function mergeBytes(
  base: Uint8Array | undefined,
  ours: Uint8Array,
  theirs: Uint8Array,
): Uint8Array | undefined {
  if (same(ours, theirs)) return ours;
  if (!base) return undefined;
  if (same(base, ours)) return theirs;
  if (same(base, theirs)) return ours;
  const texts = [textOf(base), textOf(ours), textOf(theirs)] as const;
  if (texts[0] === undefined || texts[1] === undefined || texts[2] === undefined) return undefined;
  const merged = mergeTexts(texts[0], texts[1], texts[2]);
  if (merged === undefined) return undefined;
  // Two sound front matters must not become one that nobody can read, such as one with a key twice.
  if (isReadable(texts[1]) && isReadable(texts[2]) && !isReadable(merged)) return undefined;
  return new TextEncoder().encode(merged);
}

function mergeTexts(base: string, ours: string, theirs: string): string | undefined {
  const keepReturns = [base, ours, theirs].some((text) => endsOf(text) === 'mixed');
  const [b, o, t] = [
    linesOf(base, keepReturns),
    linesOf(ours, keepReturns),
    linesOf(theirs, keepReturns),
  ] as const;
  if (Math.max(b.lines.length, o.lines.length, t.lines.length) > MAX_LINES) return undefined;
  const ends = mergeEnds(b.ends, o.ends, t.ends);
  const lines = mergeFrontMatter(b.lines, o.lines, t.lines);
  if (ends === undefined || lines === undefined) return undefined;
  const merged: Lines = {
    bom: threeWay(b.bom, o.bom, t.bom) ?? b.bom,
    ends,
    finalBreak: threeWay(b.finalBreak, o.finalBreak, t.finalBreak) ?? b.finalBreak,
    lines,
  };
  // An empty last line without a break after it would vanish, and a stray return become part of a break.
  if (lines.at(-1) === '' && !merged.finalBreak) return undefined;
  if (ends !== 'mixed' && lines.some((line) => line.endsWith('\r'))) return undefined;
  return written(merged);
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength > MAX_BYTES || bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function linesOf(text: string, keepReturns: boolean): Lines {
  const bom = text.startsWith('\ufeff');
  const plain = bom ? text.slice(1) : text;
  const ends = keepReturns ? 'mixed' : endsOf(text);
  const lines = plain === '' ? [] : plain.split(ends === 'crlf' ? '\r\n' : '\n');
  const finalBreak = lines.length === 0 || lines.at(-1) === '';
  return { bom, ends, finalBreak, lines: finalBreak ? lines.slice(0, -1) : lines };
}

function written({ bom, ends, finalBreak, lines }: Lines): string {
  const end = ends === 'crlf' ? '\r\n' : '\n';
  const text = lines.join(end) + (finalBreak && lines.length > 0 ? end : '');
  return (bom ? '\ufeff' : '') + text;
}

function endsOf(text: string): Lines['ends'] {
  const all = text.split('\n').length - 1;
  if (all === 0) return 'none';
  const crlf = text.split('\r\n').length - 1;
  if (crlf === 0) return 'lf';
  return crlf === all ? 'crlf' : 'mixed';
}

/** A text of one line says nothing about line ends. */
function mergeEnds(
  base: Lines['ends'],
  ours: Lines['ends'],
  theirs: Lines['ends'],
): Lines['ends'] | undefined {
  const [known = 'none'] = [base, ours, theirs].filter((ends) => ends !== 'none');
  const or = (ends: Lines['ends'], other: Lines['ends']): Lines['ends'] => (ends === 'none' ? other : ends);
  if (base !== 'none') return threeWay(base, or(ours, base), or(theirs, base));
  return or(ours, known) === or(theirs, known) ? or(ours, known) : undefined;
}

function isReadable(text: string): boolean {
  try {
    splitFrontMatter(text);
    return true;
  } catch {
    return false;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
