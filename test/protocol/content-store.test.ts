import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '#protocol/canonical.ts';
import { ContentRef } from '#protocol/content.ts';
import { loadContent, storeContent } from '#protocol/content-store.ts';
import { SealError } from '#protocol/errors.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { createMemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';

const first = { keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() };
const second = { keyEpoch: 2, shared: newVaultKey(), private: newVaultKey() };
const BIG = Buffer.from('a line of text\n'.repeat(1000));

describe('stored content', () => {
  it('comes back to the byte, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 20_000, size: 'max' }), async (bytes) => {
        const blobs = createMemoryBlobStore();
        const ref = ContentRef.parse(
          JSON.parse(JSON.stringify(await storeContent(bytes, 'shared', [first], 'v', blobs))),
        );
        expect(await loadContent(ref, 'shared', [first], 'v', blobs)).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 50 },
    );
  });

  it('of up to 8 KB is in the reference, above it a sealed blob', async () => {
    const blobs = createMemoryBlobStore();
    expect(await storeContent(Buffer.alloc(8192, 'a'), 'shared', [first], 'v', blobs)).toHaveProperty('text');
    expect(blobs.blobs.size).toBe(0);
    expect(await storeContent(Buffer.alloc(8193, 'a'), 'shared', [first], 'v', blobs)).toHaveProperty('blob');
    expect(blobs.blobs.size).toBe(1);
  });

  it('keeps a byte order mark and bytes that are no text', async () => {
    const blobs = createMemoryBlobStore();
    for (const bytes of [Buffer.from('\ufeffx'), Buffer.of(0xff, 0xfe, 0)]) {
      const ref = await storeContent(bytes, 'shared', [first], 'v', blobs);
      expect(await loadContent(ref, 'shared', [first], 'v', blobs)).toEqual(bytes);
    }
  });

  it('of equal bytes is one blob, and says nothing of them in the blob store', async () => {
    const blobs = createMemoryBlobStore();
    await storeContent(BIG, 'shared', [first], 'v', blobs);
    await storeContent(BIG, 'shared', [first], 'v', blobs);
    const [[id, sealed] = ['', new Uint8Array()], ...others] = blobs.blobs;
    expect(others).toEqual([]);
    expect(id).not.toBe(sha256Hex(BIG));
    expect(Buffer.from(sealed).includes('a line')).toBe(false);
  });

  it('has no reference when its blob could not be written', async () => {
    const broken = { ...createMemoryBlobStore(), put: () => Promise.reject(new Error('no service')) };
    await expect(storeContent(BIG, 'shared', [first], 'v', broken)).rejects.toThrow('no service');
  });

  it('opens with the key of its epoch after a rotation', async () => {
    const blobs = createMemoryBlobStore();
    const ref = await storeContent(BIG, 'shared', [first], 'v', blobs);
    expect(await loadContent(ref, 'shared', [first, second], 'v', blobs)).toEqual(BIG);
    await expect(loadContent(ref, 'shared', [second], 'v', blobs)).rejects.toThrow(SealError);
  });

  it('is refused with the other ring, in another vault, under another name, or altered', async () => {
    const blobs = createMemoryBlobStore();
    const ref = await storeContent(BIG, 'shared', [first], 'v', blobs);
    await expect(loadContent(ref, 'private', [first], 'v', blobs)).rejects.toThrow(SealError);
    await expect(loadContent(ref, 'shared', [first], 'w', blobs)).rejects.toThrow(SealError);
    const [[id, sealed] = ['', new Uint8Array()]] = blobs.blobs;
    blobs.blobs.set('c'.repeat(64), sealed);
    await expect(
      loadContent({ ...ref, blob: 'c'.repeat(64) }, 'shared', [first], 'v', blobs),
    ).rejects.toThrow(SealError);
    await expect(
      loadContent({ ...ref, sha256: 'd'.repeat(64) }, 'shared', [first], 'v', blobs),
    ).rejects.toThrow(SealError);
    blobs.blobs.set(
      id,
      sealed.map((byte, at) => (at === 200 ? byte ^ 1 : byte)),
    );
    await expect(loadContent(ref, 'shared', [first], 'v', blobs)).rejects.toThrow(SealError);
  });

  it('of a reference that lies about inline text is refused', async () => {
    const ref = await storeContent(Buffer.from('pay 10'), 'shared', [first], 'v', createMemoryBlobStore());
    const lie = { ...ref, text: 'pay 99' } as ContentRef;
    await expect(loadContent(lie, 'shared', [first], 'v', createMemoryBlobStore())).rejects.toThrow(
      SealError,
    );
  });

  it('of a ring whose key is not at hand cannot be stored', async () => {
    const cloud = [{ keyEpoch: 1, shared: first.shared }];
    await expect(storeContent(BIG, 'private', cloud, 'v', createMemoryBlobStore())).rejects.toThrow(
      SealError,
    );
  });
});
