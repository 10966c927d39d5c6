import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { NoteFormatError } from './errors.ts';
import { parseStrictYaml } from './front-matter.ts';
import { mergeKeyOrder } from './merge-key-order.ts';
import { mergeLines } from './merge-lines.ts';

/** One key of a front matter: what it says, and the lines that say it, with the comments above. */
interface Field {
  readonly value: unknown;
  readonly lines: readonly string[];
}

/** A front matter as its fields in order, and the comments below the last. */
interface Fields {
  readonly fields: ReadonlyMap<string, Field>;
  readonly tail: readonly string[];
}

/**
 * Merges two versions of the lines of a note, the front matter key by key: edits of different keys merge,
 * the same key with two values does not. The lines of each key are taken over as they were written. A
 * note whose front matter cannot be taken apart is merged by lines as a whole.
 */
export function mergeFrontMatter(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): string[] | undefined {
  const [b, o, t] = [splitLines(base), splitLines(ours), splitLines(theirs)];
  if (!b || !o || !t) return mergeLines(base, ours, theirs);
  const front = mergeFields(b.front, o.front, t.front);
  const body = front && mergeLines(b.body, o.body, t.body);
  return front && body && ['---', ...front, '---', ...body];
}

function mergeFields(base: Fields, ours: Fields, theirs: Fields): string[] | undefined {
  const merged = new Map<string, Field>();
  for (const key of new Set([...base.fields.keys(), ...ours.fields.keys(), ...theirs.fields.keys()])) {
    const field = mergeField(base.fields.get(key), ours.fields.get(key), theirs.fields.get(key));
    if (field === 'conflict') return undefined;
    if (field) merged.set(key, field);
  }
  const keys = (fields: Fields): string[] => [...fields.fields.keys()].filter((key) => merged.has(key));
  const tail = mergeLines(base.tail, ours.tail, theirs.tail);
  if (!tail) return undefined;
  const order = mergeKeyOrder(keys(base), keys(ours), keys(theirs));
  const lines = [...order.flatMap((key) => merged.get(key)?.lines ?? []), ...tail];
  const expected = new Map([...merged].map(([key, { value }]) => [key, value]));
  return saysExactly(lines, expected) ? lines : undefined;
}

function mergeField(
  base: Field | undefined,
  ours: Field | undefined,
  theirs: Field | undefined,
): Field | undefined | 'conflict' {
  if (sameLines(ours, theirs) || sameLines(base, theirs)) return ours;
  if (sameLines(base, ours)) return theirs;
  // Both were written differently: one of them may have been put into other quotes only.
  if (base && sameMeaning(base, ours)) return theirs;
  if (base && sameMeaning(base, theirs)) return ours;
  if (ours && theirs && sameMeaning(ours, theirs)) {
    return ours.lines.join('\n') < theirs.lines.join('\n') ? ours : theirs;
  }
  return 'conflict';
}

function sameLines(a: Field | undefined, b: Field | undefined): boolean {
  return a?.lines.join('\n') === b?.lines.join('\n');
}

/** Numbers are left out: two that are written differently may only look alike once they are read. */
function sameMeaning(a: Field, b: Field | undefined): boolean {
  if (!b || [...a.lines, ...b.lines].some((line) => line.includes('#'))) return false;
  const text = JSON.stringify(a.value);
  return text === JSON.stringify(b.value) && !holdsNumber(a.value);
}

function holdsNumber(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(holdsNumber);
  return typeof value === 'number';
}

function saysExactly(lines: readonly string[], expected: ReadonlyMap<string, unknown>): boolean {
  try {
    const read = Object.entries(parseStrictYaml(lines.join('\n')));
    return (
      read.length === expected.size &&
      read.every(
        ([key, value]) => expected.has(key) && JSON.stringify(value) === JSON.stringify(expected.get(key)),
      )
    );
  } catch (error) {
    if (error instanceof NoteFormatError) return false;
    throw error;
  }
}

function splitLines(lines: readonly string[]): { front: Fields; body: readonly string[] } | undefined {
  const end = lines[0] === '---' ? lines.indexOf('---', 1) : -1;
  if (end < 0) return undefined;
  const front = fieldsOf(lines.slice(1, end));
  return front && { front, body: lines.slice(end + 1) };
}

function fieldsOf(lines: readonly string[]): Fields | undefined {
  const text = lines.join('\n');
  let values: Readonly<Record<string, unknown>>;
  try {
    values = parseStrictYaml(text);
  } catch (error) {
    if (error instanceof NoteFormatError) return undefined;
    throw error;
  }
  const counter = new LineCounter();
  const { contents } = parseDocument(text, { schema: 'core', merge: false, lineCounter: counter });
  const starts: { readonly key: string; readonly line: number }[] = [];
  if (isMap(contents) && contents.flow !== true) {
    for (const { key } of contents.items) {
      if (!isScalar(key) || !key.range) return undefined;
      const { line, col } = counter.linePos(key.range[0]);
      if (col !== 1 || !Object.hasOwn(values, String(key.value))) return undefined;
      starts.push({ key: String(key.value), line: line - 1 });
    }
  } else if (contents !== null) return undefined;
  const fields = new Map<string, Field>();
  let from = 0;
  for (const [index, { key }] of starts.entries()) {
    const next = starts[index + 1];
    const end = firstAbove(lines, next?.line ?? lines.length);
    fields.set(key, { value: values[key], lines: lines.slice(from, end) });
    from = end;
  }
  return fields.size === starts.length ? { fields, tail: lines.slice(from) } : undefined;
}

/** Comments and blank lines right above a key are about that key. */
function firstAbove(lines: readonly string[], line: number): number {
  let first = line;
  while (first > 0 && /^(#|\s*$)/.test(lines[first - 1] ?? '')) first -= 1;
  return first;
}
