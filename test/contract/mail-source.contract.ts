import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailMissingError } from '#protocol/mail-errors.ts';
import type { MailSource } from '#protocol/ports.ts';
import type { Harness, MakeAdapter } from './harness.ts';

/** Puts raw mails where the source finds them. */
export interface MailShelf {
  readonly bucket: string;
  store(key: string, raw: Uint8Array): Promise<void>;
}

/** What every source of mails does. */
export function describeMailSourceContract(
  name: string,
  makeAdapter: MakeAdapter<MailSource, MailShelf>,
): void {
  describe(`mail source: ${name}`, () => {
    let harness: Harness<MailSource, MailShelf>;
    beforeAll(async () => {
      harness = await makeAdapter();
    });
    afterAll(() => harness.close());

    it.each([0, 1, 3_000, 5_000_000])('reads a mail of %i bytes as it is', async (sizeBytes) => {
      const raw = randomBytes(sizeBytes);
      const { bucket } = harness.extra;
      await harness.extra.store(`inbound/${sizeBytes}`, raw);
      const read = await harness.adapter.read({ bucket, key: `inbound/${sizeBytes}` });
      expect(raw.equals(read)).toBe(true);
    });

    it('hands out bytes in a buffer of their own, fit to be given away', async () => {
      const { bucket } = harness.extra;
      await harness.extra.store('inbound/own', randomBytes(500));
      const read = await harness.adapter.read({ bucket, key: 'inbound/own' });
      expect(read.buffer.byteLength).toBe(read.byteLength);
    });

    it('says that a mail is missing', async () => {
      const { bucket } = harness.extra;
      await expect(harness.adapter.read({ bucket, key: 'inbound/none' })).rejects.toThrow(MailMissingError);
    });
  });
}
