import { sha256Hex } from '#protocol/canonical.ts';
import { inlineContent, sealBlob, writingKey } from '#protocol/content-store.ts';
import { INLINE_LIMIT_BYTES } from '#protocol/content.ts';
import type { ContentRef } from '#protocol/content.ts';
import { packLayouts, PACK_PIECE_LIMIT_BYTES, sealPack } from '#protocol/pack.ts';
import type { PackPiece } from '#protocol/pack.ts';
import { blobIdOf } from '#protocol/seal.ts';
import type { Ring } from '#protocol/seal.ts';
import type { ContentPorts } from './content-ports.ts';
import { inFlight } from './in-flight.ts';

/** Up to here, small contents travel in their entries: one call writes them all. */
const INLINE_BATCH_BYTES = 160_000;
/** So many objects are sealed and under way at a time, which bounds the memory. */
const PUTS_IN_FLIGHT = 3;

/** Bytes to put where an entry can point at them. */
export interface StoreItem {
  readonly bytes: Uint8Array;
  readonly ring: Ring;
}

/**
 * The same as `store` for many at once, in few calls: small contents travel in their entries while they are
 * few; else all go into packs of up to 8 MB, and only big ones are objects of their own. Everything is
 * stored when this returns. May be repeated: the same items make the same objects.
 *
 * @param inlineBytes up to here, small contents travel in their entries; with 0, none.
 * @returns the references, in the order of the items.
 * @throws {SealError} when this machine has no key of a ring; whatever the blob store throws.
 */
export async function storeAll(
  agent: ContentPorts,
  items: readonly StoreItem[],
  inlineBytes = INLINE_BATCH_BYTES,
): Promise<ContentRef[]> {
  const refs = new Array<ContentRef | undefined>(items.length);
  const puts: Put[] = [];
  for (const ring of ['shared', 'private'] as const) {
    const wanted = [...items.entries()].filter(([, item]) => item.ring === ring);
    const plan = planRing(
      agent,
      wanted.map(([, { bytes }]) => bytes),
      { ring, inlineBytes },
    );
    for (const [at, [index]] of wanted.entries()) refs[index] = plan.refs[at];
    puts.push(...plan.puts);
  }
  await inFlight(puts, PUTS_IN_FLIGHT, ({ id, seal }) => agent.blobs.put(id, seal()));
  return refs.filter((ref) => ref !== undefined);
}

/** An object to put; it is sealed only when its turn comes. */
interface Put {
  readonly id: string;
  readonly seal: () => Uint8Array;
}

interface Plan {
  readonly refs: readonly ContentRef[];
  readonly puts: readonly Put[];
}

function planRing(
  { keys, config }: ContentPorts,
  contents: readonly Uint8Array[],
  { ring, inlineBytes }: { readonly ring: Ring; readonly inlineBytes: number },
): Plan {
  const isSmall = (bytes: Uint8Array): boolean => bytes.byteLength <= INLINE_LIMIT_BYTES;
  const smallBytes = contents.reduce((sum, bytes) => sum + (isSmall(bytes) ? bytes.byteLength : 0), 0);
  const isInline = (bytes: Uint8Array): boolean =>
    inlineBytes > 0 && isSmall(bytes) && smallBytes <= inlineBytes;
  if (contents.every(isInline)) return { refs: contents.map(inlineContent), puts: [] };

  const key = writingKey(keys.keyring, ring);
  const { vaultId } = config;
  const pieces = new Map<string, PackPiece>();
  for (const bytes of contents.filter((content) => !isInline(content))) {
    const blob = blobIdOf(key, bytes);
    pieces.set(blob, { blob, bytes });
  }
  const isOwnObject = ({ bytes }: PackPiece): boolean =>
    bytes.byteLength >= PACK_PIECE_LIMIT_BYTES || pieces.size === 1;
  const own = [...pieces.values()].filter(isOwnObject);
  const layouts = packLayouts(
    [...pieces.values()].filter((piece) => !isOwnObject(piece)),
    key,
  );

  const stored = new Map<string, ContentRef>();
  for (const { blob, bytes } of own) stored.set(blob, { ...factsOf(bytes), blob });
  for (const { id, pieces: placed } of layouts) {
    for (const { blob, bytes, offset, sizeBytes } of placed) {
      stored.set(blob, { ...factsOf(bytes), blob, pack: { id, offset, sizeBytes } });
    }
  }
  return {
    refs: contents.map((bytes) => stored.get(blobIdOf(key, bytes)) ?? inlineContent(bytes)),
    puts: [
      ...own.map(({ blob, bytes }) => ({ id: blob, seal: () => sealBlob(key, bytes, vaultId, blob) })),
      ...layouts.map((layout) => ({ id: layout.id, seal: () => sealPack(layout, key, vaultId) })),
    ],
  };
}

function factsOf(bytes: Uint8Array): { sha256: string; sizeBytes: number } {
  return { sha256: sha256Hex(bytes), sizeBytes: bytes.byteLength };
}
