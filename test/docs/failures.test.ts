import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const FILE = 'docs/failures.md';
const FIRST = 18;
const LAST = 33;

interface Row {
  readonly number: number;
  readonly scenario: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  readonly result: string;
}

const rows = readRows(readFileSync(path.join(root, FILE), 'utf8'));

describe('the table of failures', () => {
  it('has each scenario, with a test and its result', () => {
    const numbers = new Set(rows.map(({ number }) => number));
    expect([...numbers]).toEqual(Array.from({ length: LAST - FIRST + 1 }, (_, index) => FIRST + index));
    expect(rows.filter(({ tests, result }) => tests.length === 0 || result === '')).toEqual([]);
  });

  it('has each scenario once', () => {
    const scenarios = rows.map(({ number, scenario }) => `${number} ${scenario}`);
    expect(scenarios).toEqual([...new Set(scenarios)]);
  });

  it.each(rows)('$number, $scenario: names tests that are there', ({ tests }) => {
    expect(tests.filter(({ file, title }) => !hasTest(file, title))).toEqual([]);
  });
});

/** The rows of all tables whose first column is a number: `| 18 | scenario | test file: “title” … | result |`. */
function readRows(text: string): Row[] {
  return text
    .split('\n')
    .map((line) => /^\| *(\d+) *\|(.*)\|(.*)\|(.*)\|$/.exec(line))
    .flatMap((match) => {
      if (!match) return [];
      const [, number = '', scenario = '', tests = '', result = ''] = match;
      return [
        { number: Number(number), scenario: scenario.trim(), tests: readTests(tests), result: result.trim() },
      ];
    });
}

/** A title belongs to the file that was named last before it. */
function readTests(cell: string): Row['tests'] {
  const tests: { file: string; title: string }[] = [];
  let file = '';
  for (const [, named, title] of cell.matchAll(/`(test\/[^`]+)`|“([^”]+)”/g)) {
    if (named !== undefined) file = named;
    else if (title !== undefined) tests.push({ file, title: title.trim() });
  }
  return tests;
}

/** The title stands in the file as one whole literal. */
function hasTest(file: string, title: string): boolean {
  const place = path.join(root, file);
  if (!/\.test\.ts$|\.contract\.ts$/.test(file) || !existsSync(place)) return false;
  const text = readFileSync(place, 'utf8').replaceAll("\\'", "'");
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`));
}
