import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SESClient } from '@aws-sdk/client-ses';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import type { TestEmulators } from '#test/support/emulators.ts';

/** One client a service. */
export interface SdkClients {
  dynamodb: DynamoDBClient;
  s3: S3Client;
  sqs: SQSClient;
  ses: SESClient;
  secrets: SecretsManagerClient;
  sts: STSClient;
}

/** Bare SDK clients, with nothing of ours in between, and without retries: a refusal is what is looked at. */
export function sdkClients(emulators: TestEmulators, caller = 'test'): SdkClients {
  const { region, endpoints, credentials } = emulators.clientOptions(caller);
  const shared = { region, credentials, maxAttempts: 1 };
  return {
    dynamodb: new DynamoDBClient({ ...shared, endpoint: endpoints.dynamodb }),
    s3: new S3Client({ ...shared, endpoint: endpoints.s3, forcePathStyle: true }),
    sqs: new SQSClient({ ...shared, endpoint: endpoints.sqs }),
    ses: new SESClient({ ...shared, endpoint: endpoints.ses }),
    secrets: new SecretsManagerClient({ ...shared, endpoint: endpoints.secretsmanager }),
    sts: new STSClient({ ...shared, endpoint: endpoints.sts }),
  };
}
