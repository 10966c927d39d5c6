import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobStore } from '#protocol/ports.ts';
import type { Harness, MakeAdapter } from './harness.ts';

/** What every blob store does. */
export function describeBlobStoreContract(name: string, makeAdapter: MakeAdapter<BlobStore>): void {
  describe(`blob store: ${name}`, () => {
    let harness: Harness<BlobStore>;
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
      await expect(harness.adapter.get(idOf(randomBytes(8)))).rejects.toThrow();
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
