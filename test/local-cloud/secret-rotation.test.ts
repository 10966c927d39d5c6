import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RotationEvent } from '#local-cloud/emulators/secret-rotation.ts';
import { mayRotate } from '#local-cloud/iam/deliveries.ts';
import { startEmulators, type TestEmulators } from '#test/support/emulators.ts';
import { sdkClients } from './clients.ts';

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:rotate';

let emulators: TestEmulators;
let secrets: SecretsManagerClient;
let SecretId: string;
let events: RotationEvent[];
let onStep: (event: RotationEvent) => Promise<unknown>;
let allowed: boolean;

beforeEach(async () => {
  events = [];
  onStep = () => Promise.resolve();
  allowed = true;
  emulators = await startEmulators({
    functions: {
      mayInvoke: () => allowed,
      invoke: (_arn, event) => {
        events.push(event);
        return onStep(event);
      },
    },
  });
  ({ secrets } = sdkClients(emulators));
  const made = await secrets.send(new CreateSecretCommand({ Name: 'zone', SecretString: 'one' }));
  SecretId = made.ARN ?? '';
});
afterEach(() => emulators.close());

const schedule = () =>
  secrets.send(
    new RotateSecretCommand({
      SecretId,
      RotationLambdaARN: FUNCTION,
      RotationRules: { AutomaticallyAfterDays: 30 },
      RotateImmediately: false,
    }),
  );
const rotate = (ClientRequestToken?: string) =>
  secrets.send(new RotateSecretCommand({ SecretId, ...(ClientRequestToken && { ClientRequestToken }) }));
const describeIt = () => secrets.send(new DescribeSecretCommand({ SecretId }));

/** What a rotation function does, as short as it gets. */
async function rotating({ Step, ClientRequestToken: token }: RotationEvent): Promise<void> {
  if (Step === 'createSecret')
    await secrets.send(
      new PutSecretValueCommand({
        SecretId,
        ClientRequestToken: token,
        SecretString: 'two',
        VersionStages: ['AWSPENDING'],
      }),
    );
  if (Step !== 'finishSecret') return;
  const { VersionId: RemoveFromVersionId } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const VersionStage = 'AWSCURRENT';
  await secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId,
      VersionStage,
      MoveToVersionId: token,
      RemoveFromVersionId,
    }),
  );
}

describe('RotateSecret', () => {
  it('gives a version without a value AWSPENDING, answers, and calls for the four steps one after the other', async () => {
    await schedule();
    const token = randomUUID();
    const goOn = Promise.withResolvers<undefined>();
    onStep = () => goOn.promise;
    expect(await rotate(token)).toMatchObject({ ARN: SecretId, VersionId: token });
    expect((await describeIt()).VersionIdsToStages?.[token]).toEqual(['AWSPENDING']);
    const get = new GetSecretValueCommand({ SecretId, VersionId: token });
    await expect(secrets.send(get)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Secrets Manager can't find the specified secret value for VersionId: ${token}`,
    });
    goOn.resolve(undefined);
    await vi.waitFor(() => expect(events).toHaveLength(4));
    expect(events.map(({ Step }) => Step)).toEqual([
      'createSecret',
      'setSecret',
      'testSecret',
      'finishSecret',
    ]);
    expect(new Set(events.map((event) => [event.SecretId, event.ClientRequestToken].join()))).toEqual(
      new Set([`${SecretId},${token}`]),
    );
  });

  it('notes when a secret was rotated, and when it is due again', async () => {
    await schedule();
    expect(await describeIt()).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: FUNCTION,
      RotationRules: { AutomaticallyAfterDays: 30 },
    });
    onStep = (event) => rotating(event);
    await rotate();
    await vi.waitFor(async () => expect((await describeIt()).LastRotatedDate).toBeInstanceOf(Date));
    const { LastRotatedDate, NextRotationDate } = await describeIt();
    expect(Number(NextRotationDate) - Number(LastRotatedDate)).toBe(30 * 86_400_000);
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
    expect(SecretString).toBe('two');
  });

  it('ends at a step that fails, keeps AWSPENDING, and takes that rotation up again when asked', async () => {
    await schedule();
    onStep = ({ Step }) => (Step === 'setSecret' ? Promise.reject(new Error('no')) : Promise.resolve());
    const { VersionId } = await rotate();
    await vi.waitFor(() => expect(events.map(({ Step }) => Step)).toEqual(['createSecret', 'setSecret']));
    expect((await describeIt()).LastRotatedDate).toBeUndefined();
    onStep = (event) => rotating(event);
    events = [];
    await vi.waitFor(async () => {
      await expect(rotate()).rejects.toMatchObject({
        name: 'InvalidRequestException',
        message: "A previous rotation isn't complete. That rotation will be reattempted.",
      });
      expect(events.length).toBeGreaterThan(0);
    });
    await vi.waitFor(async () => expect((await describeIt()).LastRotatedDate).toBeInstanceOf(Date));
    expect(new Set(events.map(({ ClientRequestToken }) => ClientRequestToken))).toEqual(new Set([VersionId]));
  });

  it('is refused for a secret that no function rotates, and a function that may not be called', async () => {
    await expect(rotate()).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'No Lambda rotation function ARN is associated with this secret.',
    });
    allowed = false;
    await expect(schedule()).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Secrets Manager cannot invoke the specified Lambda function/,
      ) as string,
    });
    expect((await describeIt()).RotationEnabled).toBe(false);
  });
});

describe('a function may be called by Secrets Manager', () => {
  const permission = {
    Action: 'lambda:InvokeFunction',
    FunctionName: FUNCTION,
    Principal: 'secretsmanager.amazonaws.com',
    SourceAccount: '000000000000',
    SourceArn: 'arn:secret',
  };
  it.each([
    ['that its policy names, for that secret', {}, true],
    ['by its name alone', { FunctionName: 'rotate' }, true],
    ['but not if another service may', { Principal: 's3.amazonaws.com' }, false],
    ['but not from another account', { SourceAccount: '111111111111' }, false],
    ['but not for another secret', { SourceArn: 'arn:other' }, false],
    ['but not if it is another function', { FunctionName: `${FUNCTION}2` }, false],
    ['but not with another right', { Action: 'lambda:GetFunction' }, false],
  ])('%s', (_name, change, expected) => {
    const plan = { permissions: [{ ...permission, ...change }] };
    expect(mayRotate(plan, FUNCTION, 'arn:secret', '000000000000')).toBe(expected);
  });
});
