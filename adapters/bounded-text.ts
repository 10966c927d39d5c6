// Characters of no width that can carry a hidden message: Unicode tags spell ASCII, variation selectors bytes.
const SMUGGLED = /[\u{e0000}-\u{e007f}]+|[\u{e0100}-\u{e01ef}\ufe00-\ufe0f]{4,}/gu;
const FLAG_TAGS = /^[\u{e0020}-\u{e007e}]{1,8}\u{e007f}$/u;

/** At most `max` UTF-16 units, never half of a surrogate pair. */
export function bounded(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}

/** At most `max` UTF-16 units of a header, cut between words where it has any, so that no encoded word is halved. */
export function boundedWords(header: string, max: number): string {
  if (header.length <= max) return header;
  const blank = Math.max(header.lastIndexOf(' ', max), header.lastIndexOf('\t', max));
  return bounded(header, blank > 0 ? blank : max);
}

/** One bounded line: no control characters, no line breaks, single blanks. */
export function oneLine(text: string, max: number): string {
  // Cut first: whatever the length of the header, the work is bounded.
  const cut = bounded(text, 4 * max);
  return bounded(
    cut
      .toWellFormed()
      .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
      .replace(/ {2,}/g, ' ')
      .trim(),
    max,
  );
}

/** Text with line ends `\n` and without control characters. */
export function plainLines(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/\r\n?|[\u2028\u2029\u0085\f\v]/g, '\n')
      .replace(/[^\P{Cc}\t\n]/gu, '')
      .split('\n')
      // A pattern for the blanks before a line end would look at a long run of them again from each blank.
      .map((line) => line.trimEnd())
      .join('\n')
  );
}

/** Takes out characters that show nothing and can spell something; the tags of a flag emoji stay. */
export function withoutSmuggled(text: string): { readonly text: string; readonly found: boolean } {
  let found = false;
  const clean = text.replace(SMUGGLED, (run: string, at: number) => {
    const isFlag = FLAG_TAGS.test(run) && text.slice(at - 2, at) === '\u{1f3f4}';
    if (isFlag) return run;
    found = true;
    return '';
  });
  return { text: clean, found };
}
