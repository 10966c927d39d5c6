import {
  CreateSecretCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { expect, it } from 'vitest';
import { createSecretVersions } from '#adapters/secret-versions.ts';
import { createSecretsClient } from '#adapters/secrets-client.ts';
import { startEmulators, type TestEmulators } from '#test/support/emulators.ts';
import { createMemorySecretVersions } from '#test/support/memory/memory-secret-versions.ts';
import { inMemory } from './harness.ts';
import { describeSecretVersionsContract } from './secret-versions.contract.ts';

describeSecretVersionsContract('memory', () => inMemory(createMemorySecretVersions('first'), undefined));

describeSecretVersionsContract('Secrets Manager (local cloud)', async () => {
  const emulators = await rotatingEmulators();
  const client = createSecretsClient(emulators.clientOptions());
  const { ARN = '' } = await client.send(new CreateSecretCommand({ Name: 'zone', SecretString: 'first' }));
  await client.send(schedule(ARN));
  return {
    adapter: createSecretVersions(client, ARN),
    extra: undefined,
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
});

it('describes when a secret rotates and changed, and fails when there is no such secret', async () => {
  const emulators = await rotatingEmulators();
  const client = createSecretsClient(emulators.clientOptions());
  try {
    const { ARN = '' } = await client.send(new CreateSecretCommand({ Name: 'dated', SecretString: 'one' }));
    expect(await createSecretVersions(client, ARN).describe()).toMatchObject({ rotationEnabled: false });
    await client.send(schedule(ARN));
    await client.send(new PutSecretValueCommand({ SecretId: ARN, SecretString: 'two' }));
    const described = await createSecretVersions(client, ARN).describe();
    expect(described).toMatchObject({ rotationEnabled: true, rotateEveryDays: 30 });
    expect(described).not.toHaveProperty('lastRotatedAt');
    expect(Math.abs(Date.now() - Date.parse(described.changedAt ?? ''))).toBeLessThan(60_000);
    const none = createSecretVersions(client, 'none');
    await expect(none.describe()).rejects.toThrow(/find the specified secret/);
    await expect(none.read('x')).rejects.toThrow(/find the specified secret/);
  } finally {
    client.destroy();
    await emulators.close();
  }
});

function rotatingEmulators(): Promise<TestEmulators> {
  return startEmulators({ functions: { mayInvoke: () => true, invoke: () => Promise.resolve() } });
}

function schedule(SecretId: string): RotateSecretCommand {
  return new RotateSecretCommand({
    SecretId,
    RotationLambdaARN: 'arn:aws:lambda:us-east-1:000000000000:function:rotate',
    RotationRules: { AutomaticallyAfterDays: 30 },
    RotateImmediately: false,
  });
}
