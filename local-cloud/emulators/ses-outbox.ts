import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeDurably } from './durable-file.ts';

/** A mail that the SES emulator took. `at` is ISO-8601 UTC. */
export interface SentMail {
  messageId: string;
  /** The envelope sender. */
  source: string;
  /** The envelope recipients, in the order given. */
  destinations: string[];
  subject: string;
  tags: Record<string, string>;
  configurationSet?: string;
  at: string;
  /** The `.eml` file, absolute. */
  file: string;
}

/**
 * Keeps a sent mail as `<at>-<messageId>.eml`, byte for byte, with its envelope beside it as `.json`. The
 * side file comes first: whoever sees the `.eml` finds both. Both are on disk when the promise resolves.
 */
export async function keepInOutbox(
  folder: string,
  mail: Omit<SentMail, 'file'>,
  raw: Buffer,
): Promise<SentMail> {
  await mkdir(folder, { recursive: true });
  const name = `${mail.at.replace(/:/g, '-')}-${mail.messageId}`;
  const { subject: _subject, ...envelope } = mail;
  await writeDurably(join(folder, `${name}.json`), `${JSON.stringify(envelope, null, 2)}\n`);
  const file = join(folder, `${name}.eml`);
  await writeDurably(file, raw);
  await syncFolder(folder);
  return { ...mail, file };
}
