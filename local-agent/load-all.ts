import { openContent } from '#protocol/content-store.ts';
import type { ContentRef, HeldContent } from '#protocol/content.ts';
import { BlobMissingError, SealError } from '#protocol/errors.ts';
import { PACK_LIMIT_BYTES } from '#protocol/pack.ts';
import type { Ring } from '#protocol/seal.ts';
import { inWords, isTooLarge, sealedBytes } from './content-ports.ts';
import type { ContentPorts } from './content-ports.ts';

/** So many requests are under way, or read and not yet taken. With the span's limit this bounds the memory. */
const GETS_IN_FLIGHT = 3;
/** Reading this much for nothing costs less than another call. */
const MAX_GAP_BYTES = 512 * 1024;
/** More than any pack has. */
const MAX_SPAN_BYTES = 2 * PACK_LIMIT_BYTES;
/** Contents within entries come in portions of this many. */
const INLINE_PORTION = 200;

/** Content that is wanted. */
export interface Wanted {
  readonly content: HeldContent;
  readonly ring: Ring;
}

/** The bytes of `wanted[index]`, or why they cannot be had; the others are not kept from coming. */
export type Loaded =
  | { readonly index: number; readonly bytes: Buffer; readonly error?: undefined }
  | { readonly index: number; readonly bytes?: undefined; readonly error: SealError | BlobMissingError };

/**
 * The same as `load` for many at once, in few calls and bounded memory. Pieces of a pack come with one
 * request as far as they are near each other. The order is that of the requests; each index comes once.
 *
 * @throws what the blob store throws, but for a blob that is not there.
 */
export async function* loadAll(agent: ContentPorts, wanted: readonly Wanted[]): AsyncGenerator<Loaded> {
  const waiting = requestsFor(wanted)[Symbol.iterator]();
  const pending: Promise<Loaded[]>[] = [];
  const begin = (): void => {
    const next = waiting.next();
    if (next.done === true) return;
    const request = fetchAll(agent, next.value);
    // Awaited in its turn; until then a failure must not count as unhandled.
    request.catch(() => undefined);
    pending.push(request);
  };
  for (let i = 0; i < GETS_IN_FLIGHT; i++) begin();
  for (let request = pending.shift(); request; request = pending.shift()) {
    yield* await request;
    begin();
  }
}

interface Item extends Wanted {
  readonly index: number;
}

/** What one call reads: contents of entries, a blob, or a span of a pack. */
interface Request {
  readonly items: readonly Item[];
  readonly span?: { readonly id: string; readonly offset: number; readonly sizeBytes: number };
}

function* requestsFor(wanted: readonly Wanted[]): Generator<Request> {
  const items = wanted.map((item, index) => ({ ...item, index }));
  // One after another, the contents of an entry are opened once.
  const inline = items
    .filter(({ content }) => !('blob' in content))
    .sort((a, b) => entryOf(a.content) - entryOf(b.content));
  for (let at = 0; at < inline.length; at += INLINE_PORTION) {
    yield { items: inline.slice(at, at + INLINE_PORTION) };
  }
  const packs = new Map<string, PackedItem[]>();
  for (const item of items) {
    const { content } = item;
    if (!('blob' in content)) continue;
    if (!content.pack || isTooLarge(content.pack.sizeBytes)) yield { items: [item] };
    else {
      const mates = packs.get(content.pack.id) ?? [];
      packs.set(content.pack.id, mates);
      mates.push({ ...item, part: content.pack });
    }
  }
  for (const mates of packs.values()) yield* spansOf(mates);
}

interface PackedItem extends Item {
  readonly part: { readonly id: string; readonly offset: number; readonly sizeBytes: number };
}

function* spansOf(mates: readonly PackedItem[]): Generator<Request> {
  let items: PackedItem[] = [];
  let end = 0;
  const request = (): Request => {
    const [first] = items;
    const { id, offset } = first?.part ?? { id: '', offset: 0 };
    return { items, span: { id, offset, sizeBytes: end - offset } };
  };
  for (const item of mates.toSorted((a, b) => a.part.offset - b.part.offset)) {
    const [first = item] = items;
    const reach = item.part.offset + item.part.sizeBytes - first.part.offset;
    if (items.length > 0 && (item.part.offset - end > MAX_GAP_BYTES || reach > MAX_SPAN_BYTES)) {
      yield request();
      items = [];
    }
    items.push(item);
    end = Math.max(items.length === 1 ? 0 : end, item.part.offset + item.part.sizeBytes);
  }
  if (items.length > 0) yield request();
}

async function fetchAll(agent: ContentPorts, { items, span }: Request): Promise<Loaded[]> {
  if (!span) return Promise.all(items.map((item) => fetchOne(agent, item)));
  let sealed: Uint8Array;
  try {
    sealed = await agent.blobs.get(span.id, span);
  } catch (error) {
    if (!(error instanceof BlobMissingError)) throw error;
    if (items.length === 1) return items.map(({ index }) => ({ index, error }));
    // The pack may be cut short: what is left of it is still good.
    const loaded: Loaded[] = [];
    for (const item of items) loaded.push(await fetchOne(agent, item));
    return loaded;
  }
  return items.map((item) => {
    const { content } = item;
    const { offset, sizeBytes } = ('pack' in content ? content.pack : undefined) ?? span;
    const at = offset - span.offset;
    return answer(item, () => openItem(agent, item, content, sealed.subarray(at, at + sizeBytes)));
  });
}

async function fetchOne(agent: ContentPorts, item: Item): Promise<Loaded> {
  const { index, content } = item;
  if (!('blob' in content)) {
    return answer(item, () => openItem(agent, item, inWords(agent.copy, content), new Uint8Array()));
  }
  try {
    const sealed = await sealedBytes(agent.blobs, content);
    return answer(item, () => openItem(agent, item, content, sealed));
  } catch (error) {
    if (error instanceof BlobMissingError || error instanceof SealError) return { index, error };
    throw error;
  }
}

function openItem(
  { keys, config }: ContentPorts,
  { ring }: Item,
  content: HeldContent | ContentRef,
  sealed: Uint8Array,
): Buffer {
  return openContent(content, sealed, ring, keys.keyring, config.vaultId);
}

function answer({ index }: Item, open: () => Buffer): Loaded {
  try {
    return { index, bytes: open() };
  } catch (error) {
    if (error instanceof SealError) return { index, error };
    throw error;
  }
}

function entryOf(content: HeldContent): number {
  return 'entry' in content ? content.entry : 0;
}
