import { SQSClient } from '@aws-sdk/client-sqs';
import { clientConfig, type AwsOptions } from './client-options.ts';

/** A client of SQS. Calls go to the endpoint of the client and never to the host inside a queue's URL. */
export function createSqsClient(options?: AwsOptions): SQSClient {
  return new SQSClient({ ...clientConfig('sqs', options), useQueueUrlAsEndpoint: false });
}
