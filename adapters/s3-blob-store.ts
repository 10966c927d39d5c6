import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
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
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(id) }));
      if (!Body) throw new Error(`the blob ${id} has no content`);
      return Body.transformToByteArray();
    },
  };
}

function keyOf(id: string): string {
  return `blobs/${id}`;
}
