/** Builds readable text out of pieces, as a browser lays out lines. */
export interface TextFlow {
  /** Adds words; runs of white space become one blank, except in preformatted text. */
  text(words: string): void;
  /** Ends the line, even an empty one (`<br>`). */
  newLine(): void;
  /** What follows begins on a line of its own. */
  line(): void;
  /** What follows begins after an empty line. */
  paragraph(): void;
  /** Goes one quote deeper (1) or comes back (-1). */
  quote(step: 1 | -1): void;
  preformatted(step: 1 | -1): void;
  /** Characters so far, about. */
  length(): number;
  /** A place to ask `since` for. */
  mark(): number;
  since(mark: number): string;
  toString(): string;
}

/** Makes an empty flow. */
export function createTextFlow(): TextFlow {
  const pieces: string[] = [];
  let length = 0;
  /** Line ends that are due before the next words. */
  let breaks = 0;
  let blank = false;
  let quotes = 0;
  let lastQuotes = 0;
  let preformatted = 0;

  function put(piece: string): void {
    pieces.push(piece);
    length += piece.length;
  }

  function words(text: string): void {
    const isStart = length === 0;
    if (breaks > 0 || isStart) {
      // An empty line belongs to the quote only if the lines on both sides of it do.
      const between = `\n${prefixOf(Math.min(quotes, lastQuotes)).trimEnd()}`;
      const lines = isStart ? '' : `${between.repeat(Math.min(breaks, 2) - 1)}\n`;
      put(`${lines}${prefixOf(quotes)}`);
      breaks = 0;
    } else if (blank) put(' ');
    lastQuotes = quotes;
    blank = false;
    put(text);
  }

  return {
    text: (raw) => {
      if (preformatted > 0) {
        raw.split(/\r\n?|\n/).forEach((line, index) => {
          if (index > 0) breaks = Math.min(breaks + 1, 2);
          if (line !== '') words(line);
        });
        return;
      }
      const text = raw.replace(/[\s\u00a0]+/g, ' ');
      if (text.startsWith(' ')) blank = true;
      const trimmed = text.trim();
      if (trimmed === '') return;
      words(trimmed);
      blank = text.endsWith(' ');
    },
    newLine: () => {
      breaks = Math.min(breaks + 1, 2);
      blank = false;
    },
    line: () => {
      breaks = Math.max(breaks, 1);
      blank = false;
    },
    paragraph: () => {
      breaks = 2;
      blank = false;
    },
    quote: (step) => {
      quotes += step;
    },
    preformatted: (step) => {
      preformatted += step;
    },
    length: () => length,
    mark: () => pieces.length,
    since: (mark) => pieces.slice(mark).join(''),
    toString: () => pieces.join('').trim(),
  };
}

function prefixOf(quotes: number): string {
  return '> '.repeat(Math.min(quotes, 10));
}
