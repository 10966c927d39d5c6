import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SecretSource } from '#protocol/ports.ts';

/** A secret in Secrets Manager. Every `read` is a call; the caller decides how long a value is good. */
export function createSecretSource(client: SecretsManagerClient, secretArn: string): SecretSource {
  return {
    read: async () => {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
      if (SecretString === undefined) throw new Error('the secret holds no text');
      return SecretString;
    },
  };
}

/** Makes `value` the secret's current value. */
export async function writeSecret(
  client: SecretsManagerClient,
  secretArn: string,
  value: string,
): Promise<void> {
  await client.send(new PutSecretValueCommand({ SecretId: secretArn, SecretString: value }));
}
