import { bounded, plainLines, withoutSmuggled } from './bounded-text.ts';
import { htmlToText } from './html-to-text.ts';
import type { MimePart } from './mime-tree.ts';

const MAX_TEXT = 262_144;
/** Of a plain part so much is looked at: enough to fill the text even if most of it is blanks. */
const MAX_SOURCE = 8 * MAX_TEXT;

/** The readable text of a mail. */
export interface MailBody {
  readonly text: string;
  readonly textTruncated: boolean;
  readonly hiddenText: boolean;
  /** What makes the text doubtful, in words for a note. */
  readonly defects: readonly string[];
}

interface Piece {
  readonly text: string;
  readonly hidden: boolean;
}

/** Whether a part is text of the mail itself, as opposed to an attachment. */
export function isBodyText(part: MimePart): boolean {
  return part.disposition !== 'attachment' && (part.type === 'text/plain' || part.type === 'text/html');
}

/**
 * Puts together the text that a reader sees: the plain part of each alternative, or its HTML where no
 * plain part says anything. HTML is looked at for hidden text in any case.
 */
export function readBody(root: MimePart): MailBody {
  const defects = new Set<string>();
  const pieces = collect(root, defects);
  const joined = pieces
    .map((piece) => piece.text)
    .filter((text) => text !== '')
    .join('\n\n');
  const { text, found } = withoutSmuggled(joined);
  return {
    text: bounded(text, MAX_TEXT),
    textTruncated: text.length > MAX_TEXT,
    hiddenText: found || pieces.some((piece) => piece.hidden),
    defects: [...defects],
  };
}

function collect(part: MimePart, defects: Set<string>): Piece[] {
  if (part.parts.length > 0) {
    const inside = part.parts.map((child) => collect(child, defects));
    return part.type === 'multipart/alternative' ? [best(part, inside)] : inside.flat();
  }
  if (!isBodyText(part)) return [];
  const source = textOf(part, defects);
  if (part.type === 'text/plain')
    return [{ text: plainLines(bounded(source, MAX_SOURCE)).trim(), hidden: false }];
  const { text, hiddenText } = htmlToText(source);
  return [{ text: plainLines(text), hidden: hiddenText }];
}

/** Of several ways to say the same: the first plain one that says anything, or else the last. */
function best(alternative: MimePart, inside: readonly (readonly Piece[])[]): Piece {
  const hidden = inside.flat().some((piece) => piece.hidden);
  const texts = inside.map((pieces) =>
    pieces
      .map((piece) => piece.text)
      .join('\n\n')
      .trim(),
  );
  const plain = texts.find((text, index) => alternative.parts[index]?.type === 'text/plain' && text !== '');
  return { text: plain ?? texts.findLast((text) => text !== '') ?? '', hidden };
}

function textOf(part: MimePart, defects: Set<string>): string {
  const text = part.text();
  const charset = part.params['charset']?.trim();
  if (charset && !isKnownCharset(charset) && /[^\p{ASCII}]/u.test(text)) {
    defects.add(`the text is in an unknown character set (${charset.slice(0, 40)})`);
  }
  // A few wrong letters are readable; a text of mostly nothing is not what was written.
  const sample = text.slice(0, 100_000);
  const lost = sample.match(/[\ufffd\0]/g)?.length ?? 0;
  if (lost > 20 && lost > sample.length / 10) defects.add('the text cannot be decoded');
  return text;
}

function isKnownCharset(charset: string): boolean {
  try {
    new TextDecoder(charset.replace(/^(x-|cs)(?=.)/i, ''));
    return true;
  } catch {
    // Names that mail programs write and TextDecoder does not know; postal-mime reads them all.
    return /^(utf-?7|latin-?\d+|x-unknown-8bit|cp\d+|windows-?\d+|iso-?\d+[-\w]*|ansi[-_\w.]*|binary|default)$/i.test(
      charset,
    );
  }
}
