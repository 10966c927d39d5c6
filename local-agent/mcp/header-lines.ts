const LINE = 76;
/** An encoded word of them has 64 characters and fits into the line beside `Subject: `. */
const WORD_BYTES = 39;

/**
 * A header of parts that must not be torn, such as addresses or message ids, folded between them.
 *
 * @example headerOfParts('To', ['a@example.com', 'b@example.com'], ',') // 'To: a@example.com, b@example.com\r\n'
 */
export function headerOfParts(name: string, parts: readonly string[], separator: '' | ','): string {
  const lines: string[] = [];
  let line = `${name}:`;
  for (const [index, part] of parts.entries()) {
    const written = index < parts.length - 1 ? `${part}${separator}` : part;
    // The first part stays beside the name: not all readers know a first line without a value.
    if (index > 0 && line.length + 1 + written.length > LINE) {
      lines.push(line);
      line = '';
    }
    line += ` ${written}`;
  }
  return `${[...lines, line].join('\r\n')}\r\n`;
}

/**
 * A header of free text. It stands as it is if every reader will show exactly that; otherwise all of it
 * becomes encoded words (RFC 2047). That includes text that looks like an encoded word, which a reader
 * would show as something else than was approved.
 */
export function headerOfText(name: string, text: string): string {
  return isPlain(name, text) ? `${name}: ${text}\r\n` : headerOfParts(name, encodedWords(text), '');
}

/** Encoded words, each of which holds whole characters. Empty for an empty text. */
export function encodedWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let sizeBytes = 0;
  for (const character of text) {
    const characterBytes = Buffer.byteLength(character);
    if (sizeBytes + characterBytes > WORD_BYTES) {
      words.push(word);
      word = '';
      sizeBytes = 0;
    }
    word += character;
    sizeBytes += characterBytes;
  }
  if (word !== '') words.push(word);
  return words.map((chunk) => `=?UTF-8?B?${Buffer.from(chunk).toString('base64')}?=`);
}

/** Spaces at an end and runs of them are what readers trim or fold. */
function isPlain(name: string, text: string): boolean {
  return (
    /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(text) &&
    !text.includes('=?') &&
    name.length + 2 + text.length <= LINE
  );
}
