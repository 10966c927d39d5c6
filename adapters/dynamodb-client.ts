import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BEFORE_SIGNING, clientConfig, uncounted, type AwsOptions } from './client-options.ts';

/** A client of DynamoDB. */
export function createDynamoClient(options?: AwsOptions): DynamoDBClient {
  const client = new DynamoDBClient(clientConfig('dynamodb', options));
  client.middlewareStack.addRelativeTo(uncounted, BEFORE_SIGNING);
  return client;
}
