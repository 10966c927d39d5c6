import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { yamlText } from '#protocol/yaml-text.ts';
import { arbitraryText } from './samples.ts';

const word = fc.oneof(
  arbitraryText(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'yes',
    'No',
    'ON',
    'null',
    '~',
    '1',
    '1e3',
    '0x1',
    '.inf',
    '2026-11-21',
    'a: b',
    'a #b',
    'a ',
    '- a',
  ),
  fc
    .array(fc.constantFrom(...'ab:#- ,[]{}&*!|>\'"%@`?=\\/()<>~.\n\t\u00a0\u0085'.split('')))
    .map((all) => all.join('')),
);
const fields = fc.dictionary(
  fc.oneof(fc.stringMatching(/^[a-z_]{1,10}$/), word),
  fc.oneof(
    word,
    fc.array(word, { maxLength: 4 }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  ),
  { noNullPrototype: true },
);

describe('YAML that was written by hand', () => {
  it.each(['1.2', '1.1'] as const)('is read back the same by a parser of YAML %s', (version) => {
    fc.assert(
      fc.property(fields, (value) => {
        // JSON has no negative zero, and a key longer than 1024 characters is none in YAML.
        fc.pre(Object.keys(value).every((key) => key.length < 200));
        const expected: unknown = JSON.parse(JSON.stringify(value));
        expect(parse(yamlText(value), { version, uniqueKeys: true })).toEqual(
          Object.keys(value).length ? expected : null,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('has one line a value and one an element, and never the line ---', () => {
    fc.assert(
      fc.property(fields, (value) => {
        const lines = yamlText(value).split('\n').slice(0, -1);
        const elements = Object.values(value).map((each) => (Array.isArray(each) ? 1 + each.length : 1));
        expect(lines).toHaveLength(elements.reduce((sum, count) => sum + count, 0));
        expect(lines).not.toContain('---');
      }),
    );
  });

  it('shows whatever cannot be seen', () => {
    fc.assert(
      fc.property(fields, (value) => {
        expect(yamlText(value).replace(/\n/g, '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\u00a0\u202e\u200b]/u);
      }),
    );
  });

  it('leaves plain words plain and leaves out what is undefined', () => {
    const value = {
      to: ['Ann <ann@x.example>'],
      cc: [],
      subject: 'Re: Lunch?',
      from: 'Ænne Müller',
      gone: undefined,
    };
    expect(yamlText(value)).toBe(
      'to:\n  - Ann <ann@x.example>\ncc: []\nsubject: "Re: Lunch?"\nfrom: Ænne Müller\n',
    );
  });
});
