import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Archive, ArchiveList } from '#protocol/ports.ts';

/**
 * The archive as objects of a bucket with Object Lock. Whoever puts needs `s3:PutObject` alone. An object that is put
 * again becomes a further version of the same bytes; none can be taken away before its time.
 */
export function createS3Archive(client: S3Client, bucket: string): Archive {
  return {
    put: async ({ name, bytes }) => {
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: name,
          Body: bytes,
          ContentType: 'application/json',
          // Object Lock takes no object without a checksum.
          ChecksumAlgorithm: 'CRC32',
        }),
      );
    },
  };
}

/** The names in the same bucket, for who has `s3:ListBucket` on it; a thousand a call. */
export function createS3ArchiveList(client: S3Client, bucket: string): ArchiveList {
  return {
    async *names(prefix) {
      let token: string | undefined;
      do {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ContinuationToken: token,
        });
        const { Contents = [], NextContinuationToken } = await client.send(command);
        for (const { Key } of Contents) if (Key !== undefined) yield Key;
        token = NextContinuationToken;
      } while (token !== undefined);
    },
  };
}
