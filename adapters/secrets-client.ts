import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientConfig, type AwsOptions } from './client-options.ts';

/** A client of Secrets Manager. */
export function createSecretsClient(options?: AwsOptions): SecretsManagerClient {
  return new SecretsManagerClient(clientConfig('secretsmanager', options));
}
