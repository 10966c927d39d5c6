import { DescribeSecretCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import type { DescribeSecretCommandOutput, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createSecretsClient } from '#adapters/secrets-client.ts';
import type { LocalCloud } from '#local-cloud/local-cloud.ts';

/** Works with Secrets Manager as the owner. */
export async function asOwner<T>(
  cloud: LocalCloud,
  work: (client: SecretsManagerClient, secretArn: string) => Promise<T>,
): Promise<T> {
  const { region, endpoints, outputs } = cloud;
  const client = createSecretsClient({ region, endpoints, credentials: cloud.credentialsFor('owner') });
  try {
    return await work(client, outputs['VaultSecretArn'] ?? '');
  } finally {
    client.destroy();
  }
}

/** Begins a rotation, as `aws secretsmanager rotate-secret` does; answers the version that is to be the secret. */
export function beginRotation(cloud: LocalCloud): Promise<string> {
  return asOwner(cloud, async (client, SecretId) => {
    const { VersionId } = await client.send(new RotateSecretCommand({ SecretId }));
    return VersionId ?? '';
  });
}

/** Rotates the cloud zone's secret to its end, and describes what it became. */
export async function rotateSecret(cloud: LocalCloud): Promise<DescribeSecretCommandOutput> {
  await beginRotation(cloud);
  await cloud.settle();
  return describeSecret(cloud);
}

/** What the secret tells of itself. */
export function describeSecret(cloud: LocalCloud): Promise<DescribeSecretCommandOutput> {
  return asOwner(cloud, (client, SecretId) => client.send(new DescribeSecretCommand({ SecretId })));
}
