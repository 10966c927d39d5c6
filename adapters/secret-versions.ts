import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretVersions } from '#protocol/ports.ts';

/** The versions of a secret in Secrets Manager. Every call is one request. */
export function createSecretVersions(client: SecretsManagerClient, secretArn: string): SecretVersions {
  const SecretId = secretArn;
  return {
    describe: async () => {
      const found = await client.send(new DescribeSecretCommand({ SecretId }));
      const days = found.RotationRules?.AutomaticallyAfterDays;
      return {
        rotationEnabled: found.RotationEnabled === true,
        stages: new Map(Object.entries(found.VersionIdsToStages ?? {})),
        ...(days === undefined ? {} : { rotateEveryDays: days }),
        ...(found.LastRotatedDate ? { lastRotatedAt: found.LastRotatedDate.toISOString() } : {}),
        ...(found.LastChangedDate ? { changedAt: found.LastChangedDate.toISOString() } : {}),
      };
    },

    read: async (VersionId) => {
      try {
        return (await client.send(new GetSecretValueCommand({ SecretId, VersionId }))).SecretString;
      } catch (error) {
        // The secret itself may be what is missing; only of a value are these the words.
        if (isNamed(error, 'ResourceNotFoundException', /find the specified secret value/)) return undefined;
        throw error;
      }
    },

    put: async (ClientRequestToken, SecretString, stage) => {
      try {
        const VersionStages = [stage];
        await client.send(
          new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages }),
        );
        return 'put';
      } catch (error) {
        if (isNamed(error, 'ResourceExistsException')) return 'other';
        throw error;
      }
    },

    moveStage: async (VersionStage, RemoveFromVersionId, to) => {
      const MoveToVersionId = to === undefined ? {} : { MoveToVersionId: to };
      try {
        await client.send(
          new UpdateSecretVersionStageCommand({
            SecretId,
            VersionStage,
            RemoveFromVersionId,
            ...MoveToVersionId,
          }),
        );
        return 'moved';
      } catch (error) {
        if (isNamed(error, 'InvalidParameterException')) return 'elsewhere';
        throw error;
      }
    },
  };
}

function isNamed(error: unknown, name: string, message = /(?:)/): boolean {
  return error instanceof Error && error.name === name && message.test(error.message);
}
