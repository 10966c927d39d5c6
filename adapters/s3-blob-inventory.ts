import { DeleteObjectsCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { BlobInventory } from '#protocol/ports.ts';
import { BLOB_PREFIX } from './s3-blob-store.ts';

/** The most that one call of `DeleteObjects` takes. */
const MAX_DELETES = 1000;

/**
 * The blobs of the vault bucket, for clearing up. Needs `s3:ListBucket` on the bucket and `s3:DeleteObject` on
 * its blobs. The bucket keeps versions: what is removed can be brought back until they expire.
 */
export function createS3BlobInventory(client: S3Client, bucket: string): BlobInventory {
  return {
    async *list() {
      for await (const { Contents = [] } of paginateListObjectsV2(
        { client },
        { Bucket: bucket, Prefix: BLOB_PREFIX },
      )) {
        for (const { Key, Size, LastModified } of Contents) {
          if (Key === undefined || Size === undefined || !LastModified) continue;
          yield { id: Key.slice(BLOB_PREFIX.length), sizeBytes: Size, storedAt: LastModified.toISOString() };
        }
      }
    },
    remove: async (ids) => {
      for (let at = 0; at < ids.length; at += MAX_DELETES) {
        const Objects = ids.slice(at, at + MAX_DELETES).map((id) => ({ Key: BLOB_PREFIX + id }));
        const { Errors = [] } = await client.send(
          new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
        );
        const [first] = Errors;
        if (first) throw new Error(`${Errors.length} blobs were not removed: ${first.Code ?? 'unknown'}`);
      }
    },
  };
}
