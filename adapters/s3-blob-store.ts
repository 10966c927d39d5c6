import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { BlobMissingError } from '#protocol/errors.ts';
import type { BlobStore } from '#protocol/ports.ts';

/** Where the blobs stand in the vault bucket. */
export const BLOB_PREFIX = 'blobs/';

/**
 * Sealed blobs as objects `blobs/<id>`. An id names its content, so that writing one twice puts the same
 * thing there and no precondition is needed.
 */
export function createS3BlobStore(client: S3Client, bucket: string): BlobStore {
  return {
    put: async (id, sealed) => {
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: BLOB_PREFIX + id,
          Body: sealed,
          ContentType: 'application/octet-stream',
        }),
      );
    },
    get: async (id, part) => {
      const Range = part && `bytes=${part.offset}-${part.offset + part.sizeBytes - 1}`;
      let bytes: Uint8Array | undefined;
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: BLOB_PREFIX + id, Range });
        bytes = await (await client.send(command)).Body?.transformToByteArray();
      } catch (cause) {
        const name = cause instanceof Error ? cause.name : '';
        if (name === 'NoSuchKey') {
          throw new BlobMissingError(`the blob ${id} is not in the vault bucket`, { cause });
        }
        if (name !== 'InvalidRange') throw cause;
      }
      // S3 answers with what there is of a part that goes beyond the end.
      if (bytes && (!part || bytes.byteLength === part.sizeBytes)) return bytes;
      throw new BlobMissingError(`the blob ${id} is shorter than it has to be`);
    },
  };
}
