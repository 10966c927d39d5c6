/** Texts that need no quotes: they begin with a letter and hold nothing that YAML gives a meaning to. */
const PLAIN = /^\p{L}[\p{L}\p{M}\p{N} _.,+@()<>/-]*$/u;
/** Words that YAML 1.1 or 1.2 reads as something else than text. */
const RESERVED = /^(true|false|yes|no|on|off|y|n|null)$/i;

/**
 * A mapping as YAML 1.2, one line a value and one an element of a list of scalars. Any text that is not
 * plainly a word or two is written as a JSON string, which is YAML too, with whatever cannot be seen escaped;
 * so every reader reads back the same. Written by hand because the functions that only write notes would
 * otherwise carry a whole YAML parser.
 */
export function yamlText(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${scalar(key)}:${Array.isArray(value) ? list(value) : ` ${scalar(value)}`}\n`)
    .join('');
}

function list(items: readonly unknown[]): string {
  return items.length === 0 ? ' []' : items.map((item) => `\n  - ${scalar(item)}`).join('');
}

function scalar(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value) && !value.endsWith(' ') && !RESERVED.test(value))
    return value;
  return (JSON.stringify(value) ?? 'null').replace(/[^\P{C}]|[^\P{Z} ]/gu, escaped);
}

function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
