import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Archive, ArchiveReader } from '#protocol/ports.ts';

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

/** The same bucket for who may look: `s3:ListBucket` for the names, a thousand a call, and `s3:GetObject`. */
export function createS3ArchiveReader(client: S3Client, bucket: string): ArchiveReader {
  return {
    async *names(prefix, after) {
      let token: string | undefined;
      do {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          StartAfter: after,
          ContinuationToken: token,
        });
        const { Contents = [], NextContinuationToken } = await client.send(command);
        for (const { Key } of Contents) if (Key !== undefined) yield Key;
        token = NextContinuationToken;
      } while (token !== undefined);
    },
    read: async (name) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
      if (!Body) throw new Error(`the archive answered for ${name} with nothing`);
      return Body.transformToByteArray();
    },
  };
}
