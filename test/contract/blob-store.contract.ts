import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlobMissingError } from '#protocol/errors.ts';
import type { BlobInventory, BlobStore } from '#protocol/ports.ts';
import type { Harness, MakeAdapter } from './harness.ts';

/** What every blob store does. */
export function describeBlobStoreContract(
  name: string,
  makeAdapter: MakeAdapter<BlobStore, BlobInventory>,
): void {
  describe(`blob store: ${name}`, () => {
    let harness: Harness<BlobStore, BlobInventory>;
    beforeAll(async () => {
      harness = await makeAdapter();
    });
    afterAll(() => harness.close());

    it.each([
      ['no byte', Buffer.alloc(0)],
      ['every byte there is', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
      ['6 MB of noise', randomBytes(6_000_000)],
    ])('gives back %s', async (_what, bytes) => {
      const id = idOf(bytes);
      await harness.adapter.put(id, bytes);
      const read = await harness.adapter.get(id);
      expect(read).toBeInstanceOf(Uint8Array);
      expect(read.byteLength).toBe(bytes.byteLength);
      expect(idOf(read)).toBe(id);
    });

    it('can be given the same blob twice', async () => {
      const bytes = randomBytes(100);
      const id = idOf(bytes);
      await harness.adapter.put(id, bytes);
      await harness.adapter.put(id, bytes);
      expect(Buffer.from(await harness.adapter.get(id)).equals(bytes)).toBe(true);
    });

    it('throws for a blob that is not there', async () => {
      await expect(harness.adapter.get(idOf(randomBytes(8)))).rejects.toThrow(BlobMissingError);
    });

    it('gives exactly the part that is asked for', async () => {
      const bytes = randomBytes(10_000);
      const id = idOf(bytes);
      await harness.adapter.put(id, bytes);
      const parts = [
        [0, 1],
        [0, 10_000],
        [9_999, 1],
        [1_234, 5_678],
      ] as const;
      for (const [offset, sizeBytes] of parts) {
        const part = await harness.adapter.get(id, { offset, sizeBytes });
        expect(Buffer.from(part).equals(bytes.subarray(offset, offset + sizeBytes))).toBe(true);
      }
    });

    it.each([
      ['begins behind the end', { offset: 100, sizeBytes: 1 }],
      ['goes beyond the end', { offset: 50, sizeBytes: 51 }],
    ])('throws for a part that %s', async (_what, part) => {
      const bytes = randomBytes(100);
      await harness.adapter.put(idOf(bytes), bytes);
      await expect(harness.adapter.get(idOf(bytes), part)).rejects.toThrow(BlobMissingError);
    });

    it('throws for a part of a blob that is not there', async () => {
      const part = harness.adapter.get(idOf(randomBytes(8)), { offset: 0, sizeBytes: 1 });
      await expect(part).rejects.toThrow(BlobMissingError);
    });

    it('lists every blob once, on more than one page, with its size and time', async () => {
      const before = Date.now();
      const stored = Array.from({ length: 1_005 }, (_, i) => Buffer.alloc(i % 7, randomBytes(8)));
      const names = stored.map(() => idOf(randomBytes(8)));
      for (const [i, id] of names.entries()) await harness.adapter.put(id, stored[i] ?? Buffer.of());
      const seen = new Map<string, number>();
      for await (const { id, sizeBytes, storedAt } of harness.extra.list()) {
        expect(seen.has(id)).toBe(false);
        seen.set(id, sizeBytes);
        // The store's clock may count whole seconds only.
        expect(Date.parse(storedAt)).toBeGreaterThanOrEqual(before - 60_000);
      }
      expect(names.map((id) => seen.get(id))).toEqual(stored.map(({ byteLength }) => byteLength));
    });

    it('removes the blobs named and no other, also one that is gone', async () => {
      const [gone, kept] = [randomBytes(10), randomBytes(10)];
      for (const bytes of [gone, kept]) await harness.adapter.put(idOf(bytes), bytes);
      await harness.extra.remove([idOf(gone), idOf(randomBytes(9))]);
      await harness.extra.remove([idOf(gone)]);
      await harness.extra.remove([]);
      await expect(harness.adapter.get(idOf(gone))).rejects.toThrow(BlobMissingError);
      expect(Buffer.from(await harness.adapter.get(idOf(kept))).equals(kept)).toBe(true);
    });

    it('is not changed by what its caller does to the bytes', async () => {
      const bytes = Buffer.from('before');
      const id = idOf(randomBytes(8));
      await harness.adapter.put(id, bytes);
      bytes.fill(0);
      const read = await harness.adapter.get(id);
      expect(Buffer.from(read).toString()).toBe('before');
      read.fill(0);
      expect(Buffer.from(await harness.adapter.get(id)).toString()).toBe('before');
    });
  });
}

function idOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
