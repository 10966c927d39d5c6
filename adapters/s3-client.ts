import { S3Client } from '@aws-sdk/client-s3';
import { BEFORE_SIGNING, clientConfig, uncounted, type AwsOptions } from './client-options.ts';

/** A client of S3; path-style where the endpoint is not AWS's own. */
export function createS3Client(options?: AwsOptions): S3Client {
  const client = new S3Client({
    ...clientConfig('s3', options),
    ...(options?.endpoints?.s3 === undefined ? {} : { forcePathStyle: true }),
  });
  client.middlewareStack.addRelativeTo(uncounted, BEFORE_SIGNING);
  return client;
}
