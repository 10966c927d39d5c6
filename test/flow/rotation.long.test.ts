import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { signingKeysOf } from '#protocol/writer-keys.ts';
import { assemblyWithout } from '#test/support/assembly-without.ts';
import { flowStarts, openingHours } from '#test/support/flow-starts.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';
import { asOwner, beginRotation, describeSecret, rotateSecret } from '#test/support/rotate-secret.ts';

const { start, cleanUp } = flowStarts();

/** The notes that wait for the owner, once everything was synced; nothing may be amiss. */
async function waiting(world: FlowWorld): Promise<number> {
  const sync = await world.employee('sync', '--json');
  expect(sync.code, sync.stderr).toBe(0);
  const inbox = await world.employee('inbox', '--json');
  return (JSON.parse(inbox.stdout) as unknown[]).length;
}

async function expectVerified(world: FlowWorld): Promise<void> {
  const { code, stdout, stderr } = await world.employee('verify');
  expect(code, stdout + stderr).toBe(0);
}

function secretOf(world: FlowWorld): Promise<CloudSecret> {
  return asOwner(world.cloud, async (client, SecretId) => {
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
    return CloudSecret.parse(JSON.parse(SecretString));
  });
}

function keysInForce(world: FlowWorld): Promise<readonly string[]> {
  return world.withAgent(async (agent) => {
    await agent.session.pull();
    return signingKeysOf(agent.session.state.keys, 'cloud');
  });
}

describe('the rotation of the secret', () => {
  it(
    'takes the deployed function through its four steps while mail goes on, and all that was signed verifies',
    { timeout: 90_000 },
    async () => {
      const lines: string[] = [];
      const world = await start({ onLine: (_writer, line) => lines.push(line) });
      const before = await secretOf(world);
      await world.send(openingHours('before'));

      const version = await beginRotation(world.cloud);
      for (const id of ['during-1', 'during-2', 'during-3']) await world.deliver(openingHours(id));
      await world.cloud.settle();
      await world.send(openingHours('after'));

      const after = await secretOf(world);
      expect({ ...after, signing: before.signing }).toEqual(before);
      expect(after.signing.publicKey).not.toBe(before.signing.publicKey);
      expect(await keysInForce(world)).toEqual([after.signing.publicKey]);
      const { VersionIdsToStages, LastRotatedDate, RotationRules } = await describeSecret(world.cloud);
      expect(VersionIdsToStages?.[version]).toEqual(['AWSCURRENT']);
      expect(LastRotatedDate).toBeInstanceOf(Date);
      expect(RotationRules).toEqual({ AutomaticallyAfterDays: 30 });
      expect(await waiting(world)).toBe(5);
      await expectVerified(world);

      const log = lines.join('\n');
      expect(log.match(/"status":"(created|set|tested|finished)"/g)).toHaveLength(4);
      for (const { signing, keyring } of [before, after]) {
        for (const hidden of [signing.privateKey, ...keyring.map(({ shared }) => shared)])
          expect(log).not.toContain(hidden);
      }

      await rotateSecret(world.cloud);
      expect(await keysInForce(world)).toEqual([(await secretOf(world)).signing.publicKey]);
      await world.send(openingHours('last'));
      expect(await waiting(world)).toBe(6);
      await expectVerified(world);
    },
  );

  it.each([
    ['createSecret', 'secretsmanager:PutSecretValue', /secret:[^ ]*VaultSecret[^ ]*/],
    ['setSecret', 'dynamodb:PutItem', /table\/[^ ]*Ledger[^ ]*/],
    ['finishSecret', 'secretsmanager:UpdateSecretVersionStage', /secret:[^ ]*VaultSecret[^ ]*/],
  ])(
    'fails in %s without the grant of %s, which the log names with its resource, and mail goes on',
    { timeout: 90_000 },
    async (step, action, resource) => {
      const refusals: string[] = [];
      const lines: string[] = [];
      const world = await start({
        assemblyDir: await assemblyWithout('Rotate', action, cleanUp),
        onLine: (writer, line) => (writer === 'access' ? refusals : lines).push(line),
      });
      const version = await beginRotation(world.cloud);
      await world.cloud.settle();
      expect(refusals).toContainEqual(
        expect.stringMatching(
          new RegExp(
            `^AccessDenied User: [^ ]*:assumed-role/[^ ]*RotateRole[^ ]* is not authorized to perform: ${action} ` +
              `on resource: arn:aws:[^ ]*${resource.source} because no identity-based policy allows`,
          ),
        ),
      );
      expect(lines.join('\n')).toMatch(
        new RegExp(`StepFailedError: ${step}: User: .* perform: ${action} on`),
      );
      const { VersionIdsToStages, LastRotatedDate } = await describeSecret(world.cloud);
      expect(VersionIdsToStages?.[version]).toEqual(['AWSPENDING']);
      expect(LastRotatedDate).toBeUndefined();
      await expect(beginRotation(world.cloud)).rejects.toThrow(/A previous rotation isn't complete/);
      await world.cloud.settle();
      await world.send(openingHours('all-the-same'));
      expect(await waiting(world)).toBe(1);
      await expectVerified(world);
    },
  );
});
