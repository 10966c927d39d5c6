/** A text as the body of a MIME part: lines of at most 76 ASCII characters, each ended by CRLF. */
export interface EncodedText {
  readonly encoding: 'quoted-printable' | 'base64';
  readonly body: string;
}

const LINE = 76;
/** A line's own characters: the rest is for its soft break and for the two more that a guard may add. */
const QUOTED_LINE = LINE - 3;

/**
 * Encodes a text so that whoever decodes it has its UTF-8 bytes again, every one of them: line ends, a
 * missing last line end and control characters included. Quoted-printable, which a person can read in the
 * raw mail; or Base64, where more than a third is not ASCII, and beside other parts, since readers do not agree
 * on whether the line end before a delimiter belongs to a text.
 *
 * A line end is written as `=0A` and a soft break. A hard break would be decoded as CR LF by some readers
 * and as LF by others, and a transport adds one where the last is missing; the approved bytes have neither.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2045#section-6.7
 * @example encodeText('Dear Bo,\n', { alone: true }) // { encoding: 'quoted-printable', body: 'Dear Bo,=0A=\r\n' }
 */
export function encodeText(text: string, { alone }: { readonly alone: boolean }): EncodedText {
  const bytes = Buffer.from(text, 'utf8');
  const readable =
    bytes.reduce((count, byte) => (byte < 0x80 ? count + 1 : count), 0) * 3 >= bytes.length * 2;
  return alone && readable
    ? { encoding: 'quoted-printable', body: quotedPrintable(text) }
    : { encoding: 'base64', body: base64Lines(bytes) };
}

/** Base64 in lines of 76 characters, each ended by CRLF. */
export function base64Lines(bytes: Buffer): string {
  const encoded = bytes.toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < encoded.length; at += LINE) lines.push(`${encoded.slice(at, at + LINE)}\r\n`);
  return lines.join('');
}

function quotedPrintable(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const character of text) {
    const written = asQuoted(character);
    // Never inside a character: some readers decode line by line.
    if (line.length + written.length > QUOTED_LINE) {
      lines.push(line);
      line = '';
    }
    line += written;
    if (character === '\n') {
      lines.push(line);
      line = '';
    }
  }
  if (line !== '') lines.push(line);
  return lines.map((written) => `${guarded(written)}=\r\n`).join('');
}

function asQuoted(character: string): string {
  if (/^[\x20-\x3c\x3e-\x7e\t]$/.test(character)) return character;
  return [...Buffer.from(character, 'utf8')].map(escaped).join('');
}

/**
 * Escapes what a relay on the way might touch: a dot that starts a line (SMTP), `From ` (mbox), a `--`
 * that could be read as a boundary.
 */
function guarded(line: string): string {
  return /^(\.|From |--)/.test(line) ? `${escaped(line.charCodeAt(0))}${line.slice(1)}` : line;
}

function escaped(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
