import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { clientConfig, type AwsOptions } from './client-options.ts';

/** A client of DynamoDB. */
export function createDynamoClient(options?: AwsOptions): DynamoDBClient {
  return new DynamoDBClient(clientConfig('dynamodb', options));
}
