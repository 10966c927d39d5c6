import { STSClient } from '@aws-sdk/client-sts';
import { clientConfig, type AwsOptions } from './client-options.ts';

/** A client of STS. */
export function createStsClient(options?: AwsOptions): STSClient {
  return new STSClient(clientConfig('sts', options));
}
