import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadContent, storeContent } from '#protocol/content-store.ts';
import { ContentRef, INLINE_LIMIT_BYTES } from '#protocol/content.ts';
import { SealError } from '#protocol/errors.ts';
import { newVaultKey } from '#protocol/seal.ts';
import type { Keyring } from '#protocol/seal.ts';
import { createMemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';

const keyring: Keyring = [{ keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() }];
const large = Buffer.alloc(INLINE_LIMIT_BYTES + 1, 'a');

describe('stored contents', () => {
  it('are the same bytes when they are loaded, whatever they are', async () => {
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.string({ unit: 'grapheme' }).map((text) => new TextEncoder().encode(text)),
      fc.constantFrom(
        Buffer.from('\ufeffa'),
        Buffer.from('a\u0000'),
        Buffer.from([0xc3]),
        Buffer.from([0xed, 0xa0, 0x80]),
      ),
      fc.uint8Array({ minLength: INLINE_LIMIT_BYTES - 1, maxLength: INLINE_LIMIT_BYTES + 1, size: 'max' }),
    );
    await fc.assert(
      fc.asyncProperty(any, fc.constantFrom('shared' as const, 'private' as const), async (bytes, ring) => {
        const blobs = createMemoryBlobStore();
        const ref = await storeContent(bytes, ring, keyring, 'v', blobs);
        // By way of JSON, as an entry carries it.
        const carried = ContentRef.parse(JSON.parse(JSON.stringify(ref)));
        expect(Buffer.compare(await loadContent(carried, ring, keyring, 'v', blobs), bytes)).toBe(0);
        expect(blobs.blobs.size).toBe(bytes.byteLength > INLINE_LIMIT_BYTES ? 1 : 0);
      }),
    );
  });

  it('are sealed in the blob store', async () => {
    const blobs = createMemoryBlobStore();
    await storeContent(large, 'shared', keyring, 'v', blobs);
    const [sealed = new Uint8Array()] = blobs.blobs.values();
    expect(Buffer.from(sealed).includes('aaaa')).toBe(false);
  });

  it('are one blob for the same bytes', async () => {
    const blobs = createMemoryBlobStore();
    await storeContent(large, 'shared', keyring, 'v', blobs);
    await storeContent(large, 'shared', keyring, 'v', blobs);
    expect(blobs.blobs.size).toBe(1);
  });

  it('can still be read after the keys were rotated', async () => {
    const blobs = createMemoryBlobStore();
    const ref = await storeContent(large, 'shared', keyring, 'v', blobs);
    const rotated: Keyring = [...keyring, { keyEpoch: 2, shared: newVaultKey() }];
    expect(large.equals(await loadContent(ref, 'shared', rotated, 'v', blobs))).toBe(true);
  });

  it('of the private ring cannot be read or written by a zone without its key', async () => {
    const blobs = createMemoryBlobStore();
    const cloud: Keyring = keyring.map(({ private: _own, ...keys }) => keys);
    const ref = await storeContent(large, 'private', keyring, 'v', blobs);
    await expect(loadContent(ref, 'private', cloud, 'v', blobs)).rejects.toThrow(SealError);
    await expect(loadContent(ref, 'shared', cloud, 'v', blobs)).rejects.toThrow(SealError);
    await expect(storeContent(large, 'private', cloud, 'v', blobs)).rejects.toThrow(SealError);
  });

  it('are refused when they were altered, swapped or are of another vault', async () => {
    const blobs = createMemoryBlobStore();
    const ref = await storeContent(large, 'shared', keyring, 'v', blobs);
    const other = await storeContent(Buffer.concat([large, large]), 'shared', keyring, 'v', blobs);
    if (!('blob' in ref) || !('blob' in other)) throw new Error('not a blob');
    await expect(loadContent(ref, 'shared', keyring, 'w', blobs)).rejects.toThrow(SealError);
    await expect(loadContent({ ...ref, blob: other.blob }, 'shared', keyring, 'v', blobs)).rejects.toThrow(
      SealError,
    );
    await expect(loadContent({ ...ref, sizeBytes: 1 }, 'shared', keyring, 'v', blobs)).rejects.toThrow(
      SealError,
    );
    const sealed = blobs.blobs.get(ref.blob);
    if (sealed) blobs.blobs.set(ref.blob, sealed.with(100, (sealed[100] ?? 0) ^ 1));
    await expect(loadContent(ref, 'shared', keyring, 'v', blobs)).rejects.toThrow(SealError);
    const inline = await storeContent(Buffer.from('yes'), 'shared', keyring, 'v', blobs);
    await expect(loadContent({ ...inline, text: 'no' }, 'shared', keyring, 'v', blobs)).rejects.toThrow(
      SealError,
    );
  });

  it('leave no reference behind when the blob could not be written', async () => {
    const broken = { ...createMemoryBlobStore(), put: () => Promise.reject(new Error('no service')) };
    await expect(storeContent(large, 'shared', keyring, 'v', broken)).rejects.toThrow('no service');
  });
});
