import { MailMissingError } from '#protocol/mail-errors.ts';
import type { MailSource } from '#protocol/ports.ts';

/** A mail source in memory. */
export interface MemoryMailSource extends MailSource {
  /** Makes a mail readable. */
  store(ref: { readonly bucket: string; readonly key: string }, raw: Uint8Array): void;
}

/** Makes an empty mail source. */
export function createMemoryMailSource(): MemoryMailSource {
  const mails = new Map<string, Uint8Array>();
  return {
    store: ({ bucket, key }, raw) => void mails.set(`${bucket}/${key}`, Uint8Array.from(raw)),
    read: async ({ bucket, key }) => {
      const raw = mails.get(`${bucket}/${key}`);
      if (!raw) throw new MailMissingError(`there is no mail ${key} in ${bucket}`);
      return Uint8Array.from(raw);
    },
  };
}
