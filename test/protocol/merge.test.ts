import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitFrontMatter } from '#protocol/front-matter.ts';
import { mergeBytes } from '#protocol/merge.ts';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function merge(base: string | undefined, ours: string, theirs: string): string | undefined {
  const merged = mergeBytes(base === undefined ? undefined : bytes(base), bytes(ours), bytes(theirs));
  return merged && new TextDecoder('utf-8', { ignoreBOM: true }).decode(merged);
}

const UTF16 = Uint8Array.from([0xff, 0xfe, 0x61, 0x00]);
const LATIN1 = Uint8Array.from([0x63, 0x61, 0x66, 0xe9, 0x0a]);

describe('lines (FAILURES 24)', () => {
  it('of two disjoint places are both taken', () => {
    expect(merge('a\nb\nc\nd\ne\n', 'A\nb\nc\nd\ne\n', 'a\nb\nc\nd\nE\n')).toBe('A\nb\nc\nd\nE\n');
  });

  it.each([
    ['the same line', 'a\nb\nc\n', 'a\nB\nc\n', 'a\nß\nc\n'],
    ['neighbouring lines', 'a\nb\nc\n', 'A\nb\nc\n', 'a\nB\nc\n'],
    ['one place where both insert', 'a\nb\n', 'a\nx\nb\n', 'a\ny\nb\n'],
    ['a deleted line and its edit', 'a\nb\nc\n', 'a\nc\n', 'a\nB\nc\n'],
    ['the end, where both append', 'a\n', 'a\nx\n', 'a\ny\n'],
    ['all of it, emptied by one', 'a\nb\n', '', 'a\nB\n'],
  ])('of %s are for a person to choose', (_what, base, ours, theirs) => {
    expect(merge(base, ours, theirs)).toBeUndefined();
    expect(merge(base, theirs, ours)).toBeUndefined();
  });

  it('that both changed alike are taken once', () => {
    expect(merge('a\nb\nc\n', 'a\nB\nc\n', 'a\nB\nc\nd\n')).toBe('a\nB\nc\nd\n');
  });

  it('of files made anew on both sides are equal, or for a person to choose', () => {
    expect(merge(undefined, 'x', 'x')).toBe('x');
    expect(merge(undefined, 'x', 'y')).toBeUndefined();
  });
});

describe('line ends, byte order mark, last line break (FAILURES 25)', () => {
  it.each([
    ['CRLF by one side, a line by the other', 'a\nb\nc\n', 'a\r\nb\r\nc\r\n', 'a\nb\nC\n', 'a\r\nb\r\nC\r\n'],
    ['LF by one side, a line by the other', 'a\r\nb\r\nc\r\n', 'a\nb\nc\n', 'A\r\nb\r\nc\r\n', 'A\nb\nc\n'],
    ['a byte order mark by one side', 'a\nb\nc\n', '\ufeffa\nb\nc\n', 'a\nb\nC\n', '\ufeffa\nb\nC\n'],
    ['no byte order mark any more', '\ufeffa\nb\nc\n', 'a\nb\nc\n', '\ufeffa\nb\nC\n', 'a\nb\nC\n'],
    ['a last line break by one side', 'a\nb\nc', 'a\nb\nc\n', 'A\nb\nc', 'A\nb\nc\n'],
    ['no last line break any more', 'a\nb\nc\n', 'a\nb\nc', 'A\nb\nc\n', 'A\nb\nc'],
    ['mixed line ends as they are', 'a\r\nb\nc\nd\n', 'A\r\nb\nc\nd\n', 'a\r\nb\nc\nD\n', 'A\r\nb\nc\nD\n'],
    ['an empty line at the end', 'a\nb\n\n', 'A\nb\n\n', 'a\nb\n\nc\n\n', 'A\nb\n\nc\n\n'],
  ])('%s', (_what, base, ours, theirs, merged) => {
    expect(merge(base, ours, theirs)).toBe(merged);
    expect(merge(base, theirs, ours)).toBe(merged);
  });

  it.each([
    ['not UTF-8', LATIN1],
    ['binary', UTF16],
    ['larger than a text that one writes', bytes('x\n'.repeat(1_100_000))],
    ['of more lines than a text that one writes', bytes('x\n'.repeat(20_001))],
  ])('a version that is %s is taken only as a whole', (_what, odd) => {
    const [base, other] = [bytes('a\nb\nc\n'), bytes('a\nb\nC\n')];
    expect(mergeBytes(base, odd, other)).toBeUndefined();
    expect(mergeBytes(base, other, odd)).toBeUndefined();
    expect(mergeBytes(odd, other, base)).toBeUndefined();
    expect(mergeBytes(base, odd, base)).toEqual(odd);
    expect(mergeBytes(odd, odd, other)).toEqual(other);
  });
});

describe('front matter (FAILURES 25)', () => {
  const NOTE = '---\ntask: t1\nto:\n  - a@b.example\nsubject: Hello\n---\n\nOne.\n\nTwo.\n';

  it.each([
    [
      'different keys that are neighbours, and the text',
      NOTE.replace('Hello', 'Hello Bo').replace('One', 'First'),
      NOTE.replace('a@b', 'c@d').replace('Two', 'Second'),
      '---\ntask: t1\nto:\n  - c@d.example\nsubject: Hello Bo\n---\n\nFirst.\n\nSecond.\n',
    ],
    [
      'new keys at one place, by name',
      NOTE.replace('Hello\n', 'Hello\nzoo: 1\n'),
      NOTE.replace('Hello\n', 'Hello\nant: 2\n'),
      NOTE.replace('Hello\n', 'Hello\nant: 2\nzoo: 1\n'),
    ],
    [
      'a key that is gone and another that is new',
      NOTE.replace('subject: Hello\n', ''),
      NOTE.replace('Hello\n', 'Hello\n# mine\nant: 2\n'),
      NOTE.replace('subject: Hello\n', '# mine\nant: 2\n'),
    ],
    [
      'other quotes on one side and another value on the other',
      NOTE.replace('Hello', '"Hello"').replace('a@b', 'c@d'),
      NOTE.replace('Hello', 'Hello Bo'),
      NOTE.replace('Hello', 'Hello Bo').replace('a@b', 'c@d'),
    ],
    [
      'another order on one side and another value on the other',
      NOTE.replace('task: t1\n', '').replace('Hello\n', 'Hello\ntask: t1\n'),
      NOTE.replace('Hello', 'Hello Bo'),
      NOTE.replace('task: t1\n', '').replace('Hello\n', 'Hello Bo\ntask: t1\n'),
    ],
  ])('takes %s', (_what, ours, theirs, merged) => {
    expect(merge(NOTE, ours, theirs)).toBe(merged);
    expect(merge(NOTE, theirs, ours)).toBe(merged);
  });

  it.each([
    ['one key with two values', NOTE.replace('Hello', 'Hi'), NOTE.replace('Hello', 'Ho')],
    [
      'a list to which both add',
      NOTE.replace('subject', '  - x@y.z\nsubject'),
      NOTE.replace('subject', '  - v@w.z\nsubject'),
    ],
    ['a deleted key and its edit', NOTE.replace('subject: Hello\n', ''), NOTE.replace('Hello', 'Ho')],
    [
      'one new key with two values',
      NOTE.replace('task', 'n: 1\ntask'),
      NOTE.replace('Hello\n', 'Hello\nn: 2\n'),
    ],
    [
      'numbers that only look alike',
      NOTE.replace('task', 'n: 1.0\ntask'),
      NOTE.replace('Hello\n', 'Hello\nn: 1.00\n'),
    ],
  ])('leaves %s to a person', (_what, ours, theirs) => {
    expect(merge(NOTE, ours, theirs)).toBeUndefined();
    expect(merge(NOTE, theirs, ours)).toBeUndefined();
  });

  it('that one side cannot be read by is merged by lines, and never into one that nobody can read', () => {
    const broken = NOTE.replace('task: t1', 'task: [t1');
    expect(merge(broken, broken.replace('One', 'First'), broken.replace('Hello', 'Ho'))).toBe(
      broken.replace('One', 'First').replace('Hello', 'Ho'),
    );
    const base = '---\na: &x 1\nb: 2\nc: 3\nd: *x\n---\n';
    const ours = '---\na: 1\ne: 9\nb: 2\nc: 3\nd: 1\n---\n';
    const theirs = '---\na: 1\nb: 2\nc: 3\ne: 8\nd: 1\n---\n';
    expect(merge(base, ours, theirs)).toBeUndefined();
  });
});

describe('any three versions', () => {
  const line = fc.constantFrom(
    '',
    'a',
    'b',
    'c',
    '# d',
    'to: x',
    'to: y',
    'n: 1',
    '- a',
    '---',
    '> q',
    'a\r',
    '## Draft',
  );
  const text = fc
    .record({
      lines: fc.array(line, { maxLength: 14 }),
      end: fc.constantFrom('\n', '\r\n'),
      bom: fc.boolean(),
      final: fc.boolean(),
      front: fc.boolean(),
    })
    .map(({ lines, end, bom, final, front }) => {
      const all = front ? ['---', 'task: t1', 'to: x', '# why', 'n: 1', '---', ...lines] : lines;
      return (bom ? '\ufeff' : '') + all.join(end) + (final ? end : '');
    });
  /** Versions that have something in common: a few lines of the base put in, replaced or taken out. */
  const versions = fc
    .tuple(
      text,
      fc.array(fc.tuple(fc.boolean(), fc.nat(20), fc.nat(2), fc.array(line, { maxLength: 2 })), {
        maxLength: 5,
      }),
    )
    .map(([base, edits]) => {
      const sides = [base.split('\n'), base.split('\n')] as const;
      for (const [left, at, gone, lines] of edits) sides[left ? 0 : 1].splice(at, gone, ...lines);
      return [base, sides[0].join('\n'), sides[1].join('\n')] as const;
    });

  it('an untouched side yields to the other, and equal edits are taken once', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (base, x) => {
        expect(mergeBytes(base, base, x)).toEqual(x);
        expect(mergeBytes(base, x, base)).toEqual(x);
        expect(mergeBytes(base, x, x)).toEqual(x);
      }),
    );
  });

  it('merge alike from either side', () => {
    fc.assert(
      fc.property(versions, text, ([base, x, y], z) => {
        expect(merge(base, x, y)).toBe(merge(base, y, x));
        expect(merge(base, x, z)).toBe(merge(base, z, x));
      }),
      { numRuns: 1000 },
    );
  });

  it('keep every line that either brought in, and make none up', () => {
    const linesOf = (of: string): string[] =>
      of
        .replace(/^\ufeff/, '')
        .split(/[\r\n]+/)
        .filter((found) => found !== '');
    let merges = 0;
    fc.assert(
      fc.property(versions, ([base, x, y]) => {
        const merged = merge(base, x, y);
        if (merged === undefined) return;
        merges += 1;
        const [inBase, inX, inY, out] = [base, x, y, merged].map((of) => linesOf(of)) as [
          string[],
          string[],
          string[],
          string[],
        ];
        for (const found of [...inX, ...inY]) if (!inBase.includes(found)) expect(out).toContain(found);
        for (const found of out) expect([...inX, ...inY]).toContain(found);
      }),
      { numRuns: 1000 },
    );
    expect(merges).toBeGreaterThan(100);
  });

  it('merge into front matter that says what the two say', () => {
    const key = fc.constantFrom('to', 'subject', 'zoo', 'ant');
    const value = fc.constantFrom(
      'one',
      '"two"',
      '[a, b]',
      '\n  - a\n  - b',
      '|\n  many\n\n  lines\n',
      '# none',
    );
    const fields = fc.dictionary(key, value, { noNullPrototype: true });
    const note = (of: Record<string, string>): string =>
      `---\n${Object.entries(of)
        .map(([name, is]) => `${name}: ${is}\n`)
        .join('')}---\ntext\n`;
    fc.assert(
      fc.property(fields, fields, fields, (base, x, y) => {
        const merged = merge(note(base), note(x), note(y));
        if (merged === undefined) return;
        const [b, o, t, m] = [note(base), note(x), note(y), merged].map(
          (of) => splitFrontMatter(of).front,
        ) as [object, object, object, Record<string, unknown>];
        const said = (of: object, name: string): string | undefined =>
          JSON.stringify((of as Record<string, unknown>)[name]);
        for (const name of ['to', 'subject', 'zoo', 'ant']) {
          expect(said(m, name)).toBe(said(b, name) === said(o, name) ? said(t, name) : said(o, name));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a long text', () => {
  it.each([
    ['of lines that all differ', (index: number) => `line ${index}`],
    ['of which every other line is blank', (index: number) => (index % 2 === 0 ? '' : `line ${index}`)],
    ['of one line, over and over', () => 'x'],
  ])('%s is merged or refused within a second', (_what, lineAt) => {
    const lines = Array.from({ length: 19_000 }, (_, index) => lineAt(index));
    const base = `${lines.join('\n')}\n`;
    const started = performance.now();
    merge(base, `first\n${base}`, `${base}last\n`);
    merge(base, lines.toSpliced(3, 1).join('\n'), lines.toSpliced(-3, 1, 'new').join('\n'));
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
