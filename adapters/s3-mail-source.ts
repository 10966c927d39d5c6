import { GetObjectCommand, NoSuchKey, type GetObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { MailMissingError, UnreadableMailError } from '#protocol/mail-errors.ts';
import type { MailSource } from '#protocol/ports.ts';

/** SES takes mails of up to 40 MB; what is larger was not put there by SES. */
const MAX_MAIL_BYTES = 40 * 1024 * 1024;

/**
 * Raw mails as SES stored them in S3. The bytes are read into one buffer of their own, which the parser
 * can take over without a copy.
 *
 * @param limits.maxBytes @default 40 MiB, SES's own limit
 */
export function createS3MailSource(
  client: S3Client,
  limits: { readonly maxBytes?: number } = {},
): MailSource {
  const maxBytes = limits.maxBytes ?? MAX_MAIL_BYTES;
  return {
    read: async ({ bucket, key }) => {
      const { Body, ContentLength } = await get(client, bucket, key);
      if (!Body) throw new Error(`the object ${key} has no content`);
      if (ContentLength === undefined) throw new Error(`the object ${key} came without its length`);
      if (ContentLength > maxBytes) {
        // Nobody reads the rest: without this the connection stays occupied until it times out.
        if ('destroy' in Body) Body.destroy();
        throw new UnreadableMailError(`it is larger than ${Math.floor(maxBytes / 1024 / 1024)} MB`);
      }
      return readAll(Body as AsyncIterable<Uint8Array>, ContentLength, key);
    },
  };
}

async function get(client: S3Client, bucket: string, key: string): Promise<GetObjectCommandOutput> {
  try {
    return await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  } catch (cause) {
    if (!(cause instanceof NoSuchKey)) throw cause;
    throw new MailMissingError(`there is no mail ${key} in ${bucket}`, { cause });
  }
}

async function readAll(body: AsyncIterable<Uint8Array>, sizeBytes: number, key: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let read = 0;
  for await (const chunk of body) {
    if (read + chunk.length > sizeBytes) throw new Error(`the object ${key} is longer than it said`);
    bytes.set(chunk, read);
    read += chunk.length;
  }
  if (read < sizeBytes) throw new Error(`the object ${key} broke off after ${read} of ${sizeBytes} bytes`);
  return bytes;
}
