import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SESClient } from '@aws-sdk/client-ses';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { STSClient } from '@aws-sdk/client-sts';
import type { AwsOptions } from './client-options.ts';
import { createDynamoClient } from './dynamodb-client.ts';
import { createS3Client } from './s3-client.ts';
import { createSecretsClient } from './secrets-client.ts';
import { createSesClient } from './ses-client.ts';
import { createSqsClient } from './sqs-client.ts';
import { createStsClient } from './sts-client.ts';

/** The clients of the local agent. */
export interface AwsClients {
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly ses: SESClient;
  readonly secrets: SecretsManagerClient;
  readonly sts: STSClient;
  /** Gives up all connections. */
  destroy(): void;
}

/**
 * All clients at once, for the local agent. A function of the cloud zone imports the one-client files
 * (`dynamodb-client.ts`, …) instead, so that its bundle holds no client it does not use.
 */
export function createClients(options: AwsOptions): AwsClients {
  const clients = {
    dynamodb: createDynamoClient(options),
    s3: createS3Client(options),
    sqs: createSqsClient(options),
    ses: createSesClient(options),
    secrets: createSecretsClient(options),
    sts: createStsClient(options),
  };
  return {
    ...clients,
    destroy: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
