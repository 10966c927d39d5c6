import type { MimePart } from './mime-tree.ts';

/** Headers that decide how a mail is read or answered, and of which there may be one (RFC 5322 §3.6, RFC 2045). */
const ONCE = ['content-type', 'content-transfer-encoding', 'reply-to'];
const MAX_CHECKED_MULTIPARTS = 20;

/** What is wrong with the build of a mail, in words for a note; nothing for nearly every mail. */
export function findDamage(root: MimePart, raw: Uint8Array): string[] {
  return [...headerDamage(root), ...multipartDamage(root, raw)];
}

function headerDamage(root: MimePart): string[] {
  const found: string[] = [];
  const names = root.headers.map((field) => field.originalKey);
  // A mailbox file's first line may stand before the headers.
  const junk = names.filter(
    (name, index) => !/^[!-9;-~]+$/.test(name) && !(index === 0 && /^>?From /.test(name)),
  );
  if (junk.length > 0) found.push('among the headers is a line that is no header');
  if (root.headers.some(({ value }) => value.includes('\0'))) found.push('a header holds a NUL character');
  for (const once of ONCE) {
    if (root.headers.filter(({ key }) => key === once).length > 1)
      found.push(`it has two ${titled(once)} headers`);
  }
  return found;
}

function multipartDamage(root: MimePart, raw: Uint8Array): string[] {
  const found = new Set<string>();
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  let checked = 0;
  for (const part of allParts(root)) {
    if (!part.type.startsWith('multipart/')) continue;
    const boundary = part.params['boundary'];
    if (!boundary || part.parts.length === 0) found.add('the parts of it cannot be found');
    // Looking for an end that is not there costs a pass over the whole mail.
    else if (checked < MAX_CHECKED_MULTIPARTS) {
      checked += 1;
      if (bytes.lastIndexOf(`\n--${boundary}--`) < 0)
        found.add('it breaks off: the end of its parts is missing');
    }
  }
  return [...found];
}

/** The part itself and all parts inside it, in order. */
export function* allParts(part: MimePart): Generator<MimePart> {
  yield part;
  for (const child of part.parts) yield* allParts(child);
}

function titled(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
