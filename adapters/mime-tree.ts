import PostalMime, { decodeWords, type Header } from 'postal-mime';
import { UnreadableMailError } from '#protocol/mail-errors.ts';

/** How much of a mail is read. */
export interface MimeLimits {
  /** Levels of multiparts. */
  readonly maxDepth: number;
  /** All headers of all parts together. */
  readonly maxHeaderBytes: number;
  readonly maxParts: number;
}

/** One part of a mail; the mail itself is the root. */
export interface MimePart {
  /** Lower case, without parameters. */
  readonly type: string;
  readonly params: Readonly<Record<string, string>>;
  /** Lower case; empty when the part does not say. */
  readonly disposition: string;
  readonly filename: string | undefined;
  readonly headers: readonly Header[];
  /** The decoded bytes of a part that has no parts of its own. */
  readonly content: ArrayBuffer | undefined;
  readonly parts: readonly MimePart[];
  /** The content as text, by the part's charset. */
  text(): string;
}

/** What is used of postal-mime's own nodes: its public result does not say which text is an alternative to which. */
interface LibraryNode {
  readonly contentType: { readonly parsed: Structured };
  readonly contentDisposition: { readonly parsed: Structured };
  readonly headers: Header[];
  readonly content: ArrayBuffer | null;
  readonly childNodes: LibraryNode[];
  getTextContent(): string;
}

interface Structured {
  readonly value: string;
  readonly params: Record<string, string>;
}

/**
 * Takes a mail apart with postal-mime. Mails inside the mail stay closed: they are attachments.
 *
 * @param raw taken as it is, without a copy.
 * @throws {UnreadableMailError} when a limit is hit.
 */
export async function parseMimeTree(raw: ArrayBuffer, limits: MimeLimits): Promise<MimePart> {
  const parser = new PostalMime({
    forceRfc822Attachments: true,
    maxNestingDepth: limits.maxDepth,
    maxHeadersSize: limits.maxHeaderBytes,
  });
  try {
    await parser.parse(raw);
  } catch (cause) {
    throw new UnreadableMailError(reasonOf(cause, limits), { cause });
  }
  const root: unknown = Reflect.get(parser, 'root');
  if (!isNode(root)) throw new Error('postal-mime keeps its tree elsewhere in this version');
  const seen = { parts: 0 };
  return toPart(root, limits, seen);
}

function toPart(node: LibraryNode, limits: MimeLimits, seen: { parts: number }): MimePart {
  seen.parts += 1;
  if (seen.parts > limits.maxParts) {
    throw new UnreadableMailError(`it has more than ${limits.maxParts} parts`);
  }
  const { value: type, params } = node.contentType.parsed;
  const disposition = node.contentDisposition.parsed;
  const filename = disposition.params['filename'] ?? params['name'];
  return {
    type,
    params,
    disposition: disposition.value,
    filename: filename ? decodeWords(filename.slice(0, 2000)) : undefined,
    headers: node.headers,
    content: type.startsWith('multipart/') ? undefined : (node.content ?? undefined),
    parts: node.childNodes.map((child) => toPart(child, limits, seen)),
    text: () => node.getTextContent(),
  };
}

function isNode(value: unknown): value is LibraryNode {
  return (
    typeof value === 'object' &&
    value !== null &&
    'childNodes' in value &&
    Array.isArray(value.childNodes) &&
    'contentType' in value &&
    'contentDisposition' in value &&
    'getTextContent' in value
  );
}

function reasonOf(cause: unknown, limits: MimeLimits): string {
  const message = cause instanceof Error ? cause.message : '';
  if (message.includes('nesting depth')) return `its parts are nested more than ${limits.maxDepth} deep`;
  if (message.includes('header size')) {
    return `its headers are larger than ${Math.floor(limits.maxHeaderBytes / 1024)} KB`;
  }
  return 'its structure cannot be taken apart';
}
