import { sealBlob } from './content-store.ts';
import { packIdOf, SEAL_OVERHEAD_BYTES } from './seal.ts';

/** A pack is filled up to this size. */
export const PACK_LIMIT_BYTES = 8 * 1024 * 1024;
/** Contents from this size on are objects of their own: beside them a pack would stay half empty. */
export const PACK_PIECE_LIMIT_BYTES = 4 * 1024 * 1024;

/** Plain bytes that shall go into a pack, with the id of their blob. */
export interface PackPiece {
  readonly blob: string;
  readonly bytes: Uint8Array;
}

/** Which pieces share an object, and where each stands in it. */
export interface PackLayout {
  readonly id: string;
  readonly pieces: readonly (PackPiece & { readonly offset: number; readonly sizeBytes: number })[];
}

/**
 * Parts pieces into packs, in order. The layout follows from the pieces alone, so that a pack that is put
 * once more after a lost reply is read by the same references.
 */
export function packLayouts(pieces: readonly PackPiece[], key: string): PackLayout[] {
  const groups: PackPiece[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  for (const piece of pieces) {
    const sizeBytes = piece.bytes.byteLength + SEAL_OVERHEAD_BYTES;
    if (filled + sizeBytes > PACK_LIMIT_BYTES) {
      groups.push([]);
      filled = 0;
    }
    groups.at(-1)?.push(piece);
    filled += sizeBytes;
  }
  return groups.map((group) => layoutOf(group, key));
}

function layoutOf(group: readonly PackPiece[], key: string): PackLayout {
  let offset = 0;
  const pieces = group.map((piece) => {
    const placed = { ...piece, offset, sizeBytes: piece.bytes.byteLength + SEAL_OVERHEAD_BYTES };
    offset += placed.sizeBytes;
    return placed;
  });
  const blobs = pieces.map(({ blob }) => blob);
  return { id: packIdOf(key, blobs), pieces };
}

/** The bytes of a pack: each piece sealed by itself and bound to its own id. */
export function sealPack({ pieces }: PackLayout, key: string, vaultId: string): Buffer {
  return Buffer.concat(pieces.map(({ blob, bytes }) => sealBlob(key, bytes, vaultId, blob)));
}
