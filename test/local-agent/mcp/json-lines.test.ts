import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLineReader } from '#local-agent/mcp/json-lines.ts';

it('lines come out the same however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replace(/[\r\n]/g, ''))),
      fc.array(fc.nat(30)),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
        const seen: string[] = [];
        const read = createLineReader(10_000, (line) => seen.push(line));
        let at = 0;
        for (const size of [...cuts, bytes.length]) {
          expect(read(bytes.subarray(at, at + size))).toBe(true);
          at += size;
        }
        expect(seen).toEqual(lines);
      },
    ),
  );
});

it('a line above the limit is noticed, ended or not', () => {
  const read = (text: string): boolean => createLineReader(4, () => undefined)(Buffer.from(text));
  expect(read('1234\n1234')).toBe(true);
  expect(read('12345')).toBe(false);
  expect(read('12345\n')).toBe(false);
});
