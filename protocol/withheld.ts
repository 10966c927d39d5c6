import { CREDENTIAL_KINDS } from './credential-kinds.ts';
import type { CredentialKind } from './credential-kinds.ts';

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/credential|token|session/, ''],
  [/^\.env|\.env$/, 'settings with secrets'],
  [/^secrets?$/, 'secrets'],
  [/^id_(rsa|dsa|ecdsa|ed25519)(_sk)?($|[._-](?!pub$))/, 'a key'],
  [/\.(pem|key|ppk|p8|p12|pfx|jks|jceks|keystore|kdbx?|age|asc|gpg)$/, 'a key file'],
  [/^\.(netrc|npmrc|pypirc|pgpass|htpasswd|dockercfg|s3cfg|boto|ssh|aws|gnupg)$/, 'log-in data'],
];
/** Every kind of credential has such a run, most names have none. */
const LONG_RUN = /[\w-]{20}/;
/** Where an example has x, or zeros, a credential has what was drawn by lot. */
const FILLED_UP = /([\w*])\1{9}/;

const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{M}]/gu;
// Letters of other scripts that look like those in the words above.
const ALIKE = 'асеіјкорѕтухԁոԍεικνορτυѵ';
const LATIN = 'aceijkopstyxdngeikvoptuv';

/** A name as the eye reads it: no case, no marks, nothing invisible, one script. */
function asSeen(name: string): string {
  const plain = name.normalize('NFKD').toLowerCase().normalize('NFKD').replace(INVISIBLE, '');
  return plain.replace(/[^\0-\x7f]/g, (letter) => LATIN[ALIKE.indexOf(letter)] ?? letter);
}

/**
 * Why a path must never leave this machine, or `undefined`. Every segment counts, folded in case and
 * Unicode form and without what cannot be seen, so that neither `.ENV` nor a folder above gets round it.
 */
export function withheldPath(path: string): string | undefined {
  const segments = path.split('/');
  for (const [index, segment] of segments.entries()) {
    const name = asSeen(segment);
    for (const [rule, what] of NAMES) {
      const word = rule.exec(name)?.[0];
      if (word === undefined) continue;
      const where = index === segments.length - 1 ? 'its name' : `the folder ${JSON.stringify(segment)}`;
      return what === ''
        ? `${where} holds the word "${word}", which names of secrets have; under another name it is synced`
        : `${where} is one that ${what} have; under another name it is synced`;
    }
  }
  return withheldName(path);
}

/** Why a path must never leave this machine for what is in a name itself: a credential, or `undefined`. */
export function withheldName(path: string): string | undefined {
  if (!LONG_RUN.test(path)) return undefined;
  const segments = path.split('/');
  for (const [index, segment] of segments.entries()) {
    for (const { what } of credentials(Buffer.from(segment))) {
      const where = index === segments.length - 1 ? 'its name' : 'the name of a folder above it';
      return `${where} holds what looks like ${what}; under another name it is synced`;
    }
  }
  return undefined;
}

const KINDS = new Map<string, CredentialKind[]>();
for (const kind of CREDENTIAL_KINDS) {
  for (const start of kind.starts) KINDS.set(start, [...(KINDS.get(start) ?? []), kind]);
}
// One walk over the text for all beginnings together; the shapes are tried only where one stands.
const STARTS = new RegExp([...KINDS.keys()].map((start) => start.replace(/[.+]/g, '\\$&')).join('|'), 'g');

/**
 * Why bytes must never leave this machine (something in them looks like a credential), or `undefined`.
 * Any bytes will do: text of one byte a letter, UTF-8, UTF-16 and UTF-32 are seen through, and the time
 * is linear in the size (some 10 ms a megabyte). The answer names kind and line, never the credential.
 *
 * @param known bytes that have travelled already, such as the note before an edit: what stands in them as
 * well does not count, so that an edit below a mail that quotes a key can be taken.
 */
export function withheldContent(bytes: Uint8Array, known?: Uint8Array): string | undefined {
  let old: Set<string> | undefined;
  for (const { found, what, text, index } of credentials(bytes)) {
    old ??= new Set(known ? [...credentials(known)].map((credential) => credential.found) : []);
    if (!old.has(found)) return `it holds what looks like ${what} (line ${lineAt(text, index)})`;
  }
  return undefined;
}

interface Found {
  readonly found: string;
  readonly what: string;
  readonly text: string;
  readonly index: number;
}

function* credentials(bytes: Uint8Array): Generator<Found> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('latin1');
  yield* credentialsIn(text);
  // Wider encodings put zero bytes between the letters, whichever way round.
  if (buffer.includes(0)) yield* credentialsIn(withoutZeros(buffer));
}

function withoutZeros(buffer: Buffer): string {
  const rest = Buffer.allocUnsafe(buffer.length);
  let length = 0;
  for (let at = 0; at < buffer.length; at += 1) {
    const byte = buffer[at] ?? 0;
    if (byte !== 0) rest[length++] = byte;
  }
  return rest.toString('latin1', 0, length);
}

function* credentialsIn(text: string): Generator<Found> {
  for (const { 0: start, index } of text.matchAll(STARTS)) {
    for (const { what, shape } of KINDS.get(start) ?? []) {
      shape.lastIndex = index;
      const found = shape.exec(text)?.[0];
      if (found !== undefined && !FILLED_UP.test(found)) yield { found, what, text, index };
    }
  }
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
