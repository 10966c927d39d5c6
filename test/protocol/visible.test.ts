import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visibleLine, visibleText } from '#protocol/visible.ts';

describe('a text that is shown', () => {
  it.each([
    ['a bidi override', 'a\u202eb', 'a⟨U+202E⟩b'],
    ['an isolate', '\u2066', '⟨U+2066⟩'],
    ['an Arabic letter mark', '\u061c', '⟨U+061C⟩'],
    ['a character of no width', 'pay\u200bpal', 'pay⟨U+200B⟩pal'],
    ['a soft hyphen', 'pay\u00adpal', 'pay⟨U+00AD⟩pal'],
    ['a byte order mark', '\ufeff', '⟨U+FEFF⟩'],
    ['an escape', '\u001b[31m', '⟨U+001B⟩[31m'],
    ['a backspace', 'a\bb', 'a⟨U+0008⟩b'],
    ['a carriage return', 'a\rb', 'a⟨U+000D⟩b'],
    ['a control of the upper range', '\u009b', '⟨U+009B⟩'],
    ['a tag', '\u{e0041}', '⟨U+E0041⟩'],
    ['a filler', '\u3164', '⟨U+3164⟩'],
    ['a line separator', '\u2028', '⟨U+2028⟩'],
    ['a variation selector', 'a\ufe00', 'a⟨U+FE00⟩'],
    ['a supplementary variation selector', 'a\u{e0100}', 'a⟨U+E0100⟩'],
  ])('has %s in words', (_name, text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });

  it.each(['Dear Ann,\n\tyes.\n', 'Grüße', '請求書', 'שלום', '❤️', 'x²'])('leaves %j as it is', (text) => {
    expect(visibleText(text)).toBe(text);
  });

  it('holds nothing that reorders, hides or commands, whatever it was', () => {
    const units = fc.array(fc.nat({ max: 0x10ffff })).map((all) => String.fromCodePoint(...all));
    fc.assert(
      fc.property(fc.oneof(units, fc.string({ unit: 'binary' })), (text) => {
        expect(visibleText(text).replace(/[\n\t]/g, '')).not.toMatch(
          /[\p{Cc}\p{Bidi_Control}\u200b-\u200d\u2060\ufeff]/u,
        );
        expect(visibleText(visibleText(text))).toBe(visibleText(text));
      }),
    );
  });

  it('on one line has no break, and its length in characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, max) => {
        const line = visibleLine(text, max);
        expect(line).not.toMatch(/[\r\n\t]/);
        expect([...line].length).toBeLessThanOrEqual(max);
      }),
    );
    expect(visibleLine(' a\r\n\tb ')).toBe('a b');
    expect(visibleLine('abcdef', 4)).toBe('abc…');
    expect(visibleLine('😀😀😀😀', 3)).toBe('😀😀…');
  });
});
