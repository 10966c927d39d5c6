import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { BlobMissingError } from '#protocol/errors.ts';
import type { BlobStore } from '#protocol/ports.ts';

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
          Key: keyOf(id),
          Body: sealed,
          ContentType: 'application/octet-stream',
        }),
      );
    },
    get: async (id) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(id) }));
        if (Body) return await Body.transformToByteArray();
      } catch (cause) {
        if (!(cause instanceof NoSuchKey)) throw cause;
        throw new BlobMissingError(`the blob ${id} is not in the vault bucket`, { cause });
      }
      throw new BlobMissingError(`the blob ${id} has no content`);
    },
  };
}

function keyOf(id: string): string {
  return `blobs/${id}`;
}
