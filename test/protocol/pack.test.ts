import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContent } from '#protocol/content-store.ts';
import { packLayouts, PACK_LIMIT_BYTES, sealPack } from '#protocol/pack.ts';
import type { PackPiece } from '#protocol/pack.ts';
import { blobIdOf, newVaultKey, SEAL_OVERHEAD_BYTES } from '#protocol/seal.ts';

const KEY = newVaultKey();
const KEYRING = [{ keyEpoch: 1, shared: newVaultKey(), private: KEY }];

function piece(bytes: Uint8Array): PackPiece {
  return { blob: blobIdOf(KEY, bytes), bytes };
}

function open(placed: { blob: string; bytes: Uint8Array }, sealed: Uint8Array, vaultId = 'v'): Buffer {
  const sha256 = createHash('sha256').update(placed.bytes).digest('hex');
  const ref = { sha256, sizeBytes: placed.bytes.byteLength, blob: placed.blob };
  return openContent(ref, sealed, 'private', KEYRING, vaultId);
}

describe('packs', () => {
  it('give back every piece from its place, whatever the bytes', () => {
    const contents = fc.uniqueArray(fc.uint8Array({ maxLength: 300 }), {
      selector: (bytes) => Buffer.from(bytes).toString('hex'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(contents, (all) => {
        for (const layout of packLayouts(all.map(piece), KEY)) {
          const sealed = sealPack(layout, KEY, 'v');
          for (const placed of layout.pieces) {
            const { offset, sizeBytes, bytes } = placed;
            expect(open(placed, sealed.subarray(offset, offset + sizeBytes)).equals(bytes)).toBe(true);
          }
          const last = layout.pieces.at(-1);
          expect((last?.offset ?? 0) + (last?.sizeBytes ?? 0)).toBe(sealed.byteLength);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are of the same id and layout when they are made once more', () => {
    const pieces = ['one', 'two', 'three'].map((text) => piece(Buffer.from(text)));
    const [first] = packLayouts(pieces, KEY);
    const [second] = packLayouts(pieces, KEY);
    if (!first || !second) throw new Error('a pack was made');
    expect(second).toEqual(first);
    const [a, b] = [sealPack(first, KEY, 'v'), sealPack(second, KEY, 'v')];
    expect(a.equals(b)).toBe(false);
    expect(a.byteLength).toBe(b.byteLength);
    const [, two] = first.pieces;
    if (!two) throw new Error('there are three pieces');
    expect(open(two, b.subarray(two.offset, two.offset + two.sizeBytes)).toString()).toBe('two');
  });

  it('have another id for other pieces, another order, or another key', () => {
    const [a, b] = [piece(Buffer.from('a')), piece(Buffer.from('b'))];
    const ids = [
      packLayouts([a, b], KEY),
      packLayouts([b, a], KEY),
      packLayouts([a], KEY),
      packLayouts([a, b], newVaultKey()),
    ].map(([layout]) => layout?.id);
    expect(new Set(ids).size).toBe(4);
  });

  it('stay below their limit, and hold all pieces in order', () => {
    const sizes = [3_000_000, 3_000_000, 3_000_000, 2_000_000, 100, 2_900_000, 3_900_000, 1];
    const pieces = sizes.map((size, i) => ({ blob: String(i), bytes: new Uint8Array(size) }));
    const layouts = packLayouts(pieces, KEY);
    expect(layouts.flatMap((layout) => layout.pieces.map(({ blob }) => blob))).toEqual(
      sizes.map((_size, i) => String(i)),
    );
    for (const { pieces: placed } of layouts) {
      const bytes = placed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      expect(bytes).toBeLessThanOrEqual(PACK_LIMIT_BYTES);
    }
    expect(layouts).toHaveLength(3);
  });

  it('hold no piece that opens in the place of another, in another vault, or after a flipped bit', () => {
    const [one, two] = ['same length 1', 'same length 2'].map((text) => piece(Buffer.from(text)));
    if (!one || !two) throw new Error('there are two pieces');
    const [layout] = packLayouts([one, two], KEY);
    if (!layout) throw new Error('a pack was made');
    const sealed = sealPack(layout, KEY, 'v');
    const half = sealed.byteLength / 2;
    expect(half).toBe(one.bytes.byteLength + SEAL_OVERHEAD_BYTES);
    expect(() => open(one, sealed.subarray(half))).toThrow('no private key of this zone opens');
    expect(() => open(one, sealed.subarray(0, half), 'w')).toThrow('no private key of this zone opens');
    sealed[half - 1] = (sealed[half - 1] ?? 0) ^ 1;
    expect(() => open(one, sealed.subarray(0, half))).toThrow('no private key of this zone opens');
    expect(open(two, sealed.subarray(half)).toString()).toBe('same length 2');
  });
});
