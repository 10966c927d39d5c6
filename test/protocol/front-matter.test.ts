import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NoteFormatError } from '#protocol/errors.ts';
import { joinFrontMatter, parseStrictYaml, splitFrontMatter } from '#protocol/front-matter.ts';
import { arbitraryText } from './samples.ts';

describe('front matter', () => {
  it('comes back as it was joined, and the body below it to the byte', () => {
    const word = fc.oneof(
      arbitraryText(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('yes', '1', 'null', '0x1', '<<'),
    );
    const front = fc.dictionary(
      fc.stringMatching(/^[a-z_]{1,10}$/),
      fc.oneof(word, fc.array(word, { maxLength: 4 }), fc.integer(), fc.boolean()),
    );
    fc.assert(
      fc.property(front, arbitraryText(), (fields, body) => {
        // A null prototype is what `fc.dictionary` may give and YAML does not.
        expect(splitFrontMatter(joinFrontMatter(fields, body))).toEqual({ front: { ...fields }, body });
      }),
      { numRuns: 500 },
    );
  });

  it('keeps a text that begins with blanks on lines of their own', () => {
    const front = { a: '\n \n\ud800\udc00 x \n# y\n   \n\t', b: `${'x'.repeat(40)}\n \n  y` };
    expect(splitFrontMatter(joinFrontMatter(front, '')).front).toEqual(front);
  });

  it('is read the same with a byte order mark and any line ends', () => {
    const expected = { front: { a: 1, b: 'x' }, body: 'one\ntwo\n' };
    const text = '---\na: 1\nb: x\n---\none\ntwo\n';
    expect(splitFrontMatter(text)).toEqual(expected);
    expect(splitFrontMatter(`\ufeff${text}`)).toEqual(expected);
    expect(splitFrontMatter(text.replaceAll('\n', '\r\n'))).toEqual(expected);
    expect(splitFrontMatter(text.replaceAll('\n', '\r'))).toEqual(expected);
  });

  it('ends at the first line ---: further ones are text', () => {
    expect(splitFrontMatter('---\na: 1\n---\nb\n---\nc: 2\n---\n').body).toBe('b\n---\nc: 2\n---\n');
  });

  it.each([
    ['nothing', '', 'does not begin with front matter'],
    ['text', 'hello', 'does not begin with front matter'],
    ['a blank line first', '\n---\na: 1\n---\n', 'does not begin with front matter'],
    ['two byte order marks', '\ufeff\ufeff---\na: 1\n---\n', 'does not begin with front matter'],
    ['a JavaScript engine', '---js\n({ a: process.exit() })\n---\n', 'does not begin with front matter'],
    ['a JSON engine', '---json\n{}\n---\n', 'does not begin with front matter'],
    ['TOML', '+++\na = 1\n+++\n', 'does not begin with front matter'],
    ['no end', '---\na: 1\n', 'has no end'],
    ['an end that is longer', '---\na: 1\n----\n', 'has no end'],
    ['an end with a space', '---\na: 1\n--- \n', 'has no end'],
  ])('that is %s is refused', (_name, text, message) => {
    expect(() => splitFrontMatter(text)).toThrow(NoteFormatError);
    expect(() => splitFrontMatter(text)).toThrow(message);
  });
});

describe('strict YAML', () => {
  it('is a mapping, of YAML 1.2 core: yes is a word and so is a date', () => {
    expect(parseStrictYaml('a: yes\nb: 2026-11-21\nc: 012\nd: true\ne: 0o17\nf: 1_000\n')).toEqual({
      a: 'yes',
      b: '2026-11-21',
      c: 12,
      d: true,
      e: 15,
      f: '1_000',
    });
    expect(parseStrictYaml('')).toEqual({});
    expect(parseStrictYaml('# nothing\n')).toEqual({});
  });

  it.each([
    ['an alias', 'a: &x 1\nb: *x'],
    ['an alias of nothing', 'a: *x'],
    ['an anchor', 'a: &x 1'],
    ['an anchor of a list', 'a: &x [1]'],
    ['an anchor of a key', '&x a: 1'],
    ['an own tag', 'a: !secret 1'],
    ['a tag of JavaScript', 'a: !!js/function "() => 1"'],
    ['a tag of YAML itself', 'a: !!str 1'],
    ['a tag of binary data', 'a: !!binary aGk='],
    ['a tag of a map', 'a: !!map {b: 1}'],
    ['a tag of the whole', '!!map\na: 1'],
    ['the empty tag', 'a: ! 1'],
    ['a tag under another name', '%TAG !e! tag:yaml.org,2002:\n--- \na: !e!str 1'],
    ['a key twice', 'a: 1\na: 2'],
    ['a key twice, quoted', 'a: 1\n"a": 2'],
    ['a key twice, deeper down', 'a:\n  b: 1\n  b: 2'],
    ['a list for a key', '? [a]\n: 1'],
    ['a map for a key', '? {a: 1}\n: 1'],
    ['two documents', 'a: 1\n...\nb: 2'],
    ['a list', '- a'],
    ['a word', 'hello'],
    ['a tab for indentation', 'a:\n\tb: 1'],
    ['an open quote', 'a: "b'],
    ['half a character', 'a: "\\ud83d"'],
    ['half a character in a key', '"\\ud83d": 1'],
    ['too deep a nesting', `a: ${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['more than 64 KB', `a: ${'x'.repeat(64 * 1024)}`],
  ])('has no place for %s', (_name, text) => {
    expect(() => parseStrictYaml(text)).toThrow(NoteFormatError);
  });

  it('does not merge', () => {
    expect(parseStrictYaml('<<: {a: 1}\nb: 2')).toEqual({ '<<': { a: 1 }, b: 2 });
  });

  it('changes no prototype', () => {
    const value = parseStrictYaml('__proto__:\n  polluted: true\n');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('says the line of a mistake', () => {
    expect(() => parseStrictYaml('a: 1\nb: "x')).toThrow(/at line 2/);
  });

  it('gives a mapping or a NoteFormatError for any text', () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom(...'abc:-[]{}&*!|>\'"%@`#,? \n\t'.split('')), { maxLength: 40 })
        .map((all) => all.join('')),
    );
    fc.assert(
      fc.property(any, (text) => {
        try {
          expect(typeof parseStrictYaml(text)).toBe('object');
        } catch (error) {
          expect(error).toBeInstanceOf(NoteFormatError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
