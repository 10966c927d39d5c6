// eslint-disable-next-line no-control-regex -- these are the characters that must not reach a terminal as they are
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * What changes how a text looks without being seen: soft hyphen, zero-width characters, bidi marks,
 * embeddings, overrides and isolates, line and paragraph separators, variation selectors beyond the
 * emoji one, tags, fillers. A reader could be shown other words than those that will be sent.
 */
const UNSEEN =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\uffff]|[\u{1d173}-\u{1d17a}]|[\u{e0000}-\u{e0fff}]/gu;

/**
 * A text with every character seen: what would be invisible or would reorder or command is written as its
 * code point, such as `⟨U+202E⟩`. Line breaks and tabs stay.
 */
export function visibleText(text: string): string {
  return text.replace(CONTROLS, named).replace(UNSEEN, named);
}

/** `visibleText` on one line: breaks and tabs become spaces; at most `max` characters. */
export function visibleLine(text: string, max = Number.POSITIVE_INFINITY): string {
  const line = visibleText(text.replace(/[\r\n\t]+/g, ' ')).trim();
  const characters = [...line];
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`;
}

function named(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return `⟨U+${point.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
