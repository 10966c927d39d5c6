import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AwsCall } from '#local-cloud/call-log.ts';
import {
  archiveCalls,
  executeOne,
  functionCalls,
  loneMail,
  tenMails,
  warmUp,
} from '#test/support/counted-scenes.ts';
import { enqueueNotifications } from '#test/support/enqueue.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

let world: FlowWorld;

beforeAll(async () => {
  world = await createFlowWorld();
  await warmUp(world);
}, 60_000);
afterAll(() => world.close());

function named(calls: readonly AwsCall[]): string[] {
  return calls.map(({ service, operation }) => `${service}:${operation}`);
}

describe('calls-inbound', () => {
  it('a lone mail takes at most 9 calls from the queue to the approval request', async () => {
    world.cloud.calls.clear();
    await loneMail(world);
    const calls = functionCalls(world);
    expect(calls.length, named(calls).join(' ')).toBeLessThanOrEqual(9);
    expect(named(calls)).toContain('dynamodb:UpdateItem');
  });

  it('and is archived with one call for each entry of the ledger', () => {
    const entries = named(functionCalls(world)).filter((name) => name === 'dynamodb:PutItem');
    expect(named(archiveCalls(world))).toEqual(entries.map(() => 's3:PutObject'));
  });

  it('a duplicate takes one call', async () => {
    const last = world.notifications.at(-1) ?? '';
    world.cloud.calls.clear();
    await enqueueNotifications(world, [last]);
    expect(named(functionCalls(world))).toEqual(['dynamodb:UpdateItem']);
  });

  it('ten mails at once take at most 4.5 calls each', async () => {
    const mails = await tenMails(world, () => world.cloud.calls.clear());
    const calls = functionCalls(world);
    // All ten went the whole way: begun, claimed and released.
    expect(mails).toBe(10);
    expect(named(calls).filter((name) => name === 'dynamodb:UpdateItem')).toHaveLength(30);
    expect(calls.length, named(calls).join(' ')).toBeLessThanOrEqual(45);
  });
});

it('calls-execute: from approved to sent and recorded takes at most 6 calls', async () => {
  expect(await executeOne(world, { approved: () => world.cloud.calls.clear() })).toBe('succeeded');
  const calls = world.cloud.calls.list({ accessKeyId: world.cloud.credentialsFor('agent').accessKeyId });
  expect(named(calls)).toContain('ses:SendRawEmail');
  expect(calls.length, named(calls).join(' ')).toBeLessThanOrEqual(6);
});

it('and one more in a process of its own, which has to look into the archive', async () => {
  await world.sendExample('french-latin9.eml');
  expect((await world.employee('sync')).code).toBe(0);
  const [{ taskId = '' } = {}] = JSON.parse((await world.employee('inbox', '--json')).stdout) as {
    taskId?: string;
  }[];
  expect((await world.employee('approve', taskId)).code).toBe(0);
  world.cloud.calls.clear();
  expect((await world.employee('execute')).code).toBe(0);
  const calls = world.cloud.calls.list({ accessKeyId: world.cloud.credentialsFor('agent').accessKeyId });
  expect(named(calls).filter((name) => name.startsWith('s3:'))).toEqual(['s3:ListObjectsV2']);
  expect(calls.length, named(calls).join(' ')).toBeLessThanOrEqual(7);
});
