import { z } from 'zod';
import type { AttemptedCall } from '../call-log.ts';
import { onEverything, present, textOf, type NeededAccess } from './needed-access.ts';

const ON_OBJECTS: Readonly<Record<string, readonly string[]>> = {
  GetObject: ['GetObject'],
  HeadObject: ['GetObject'],
  GetObjectAttributes: ['GetObject', 'GetObjectAttributes'],
  PutObject: ['PutObject'],
  CreateMultipartUpload: ['PutObject'],
  UploadPart: ['PutObject'],
  CompleteMultipartUpload: ['PutObject'],
  AbortMultipartUpload: ['AbortMultipartUpload'],
  DeleteObject: ['DeleteObject'],
  DeleteObjects: ['DeleteObject'],
};

const ON_A_BUCKET: Readonly<Record<string, string>> = {
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  HeadBucket: 'ListBucket',
  CreateBucket: 'CreateBucket',
  DeleteBucket: 'DeleteBucket',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  DeleteBucketLifecycle: 'PutLifecycleConfiguration',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
};

/**
 * The permissions of an S3 call. Reading an object that is not there needs `s3:ListBucket` besides: without it S3
 * does not tell what is there and what is not, and answers 403 for both.
 */
export function s3Access(call: AttemptedCall): NeededAccess[] {
  const { operation, input } = call;
  const bucket = `arn:aws:s3:::${textOf(input, 'Bucket')}`;
  const keys = present({ 's3:prefix': textOf(input, 'Prefix') });
  const onBucket = (action: string): NeededAccess => ({
    action: `s3:${action}`,
    resource: bucket,
    policyOf: bucket,
    keys,
  });
  const bucketAction = ON_A_BUCKET[operation];
  if (bucketAction !== undefined) return [onBucket(bucketAction)];
  const actions = ON_OBJECTS[operation];
  if (actions === undefined) return [onEverything(call)];
  const objects = z.array(z.string()).safeParse(input['Keys']).data ?? [textOf(input, 'Key')];
  const needed = objects.flatMap((key) =>
    actions.map((action) => ({
      action: `s3:${action}`,
      resource: `${bucket}/${key}`,
      policyOf: bucket,
      keys: {},
    })),
  );
  return input['Missing'] === true ? [...needed, onBucket('ListBucket')] : needed;
}
