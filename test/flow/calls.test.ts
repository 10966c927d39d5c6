import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { AwsCall } from '#local-cloud/call-log.ts';
import { EXAMPLE_MAILS } from '#test/support/example-mails.ts';
import { enqueueNotifications, underAnotherId } from '#test/support/enqueue.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

let world: FlowWorld;

beforeAll(async () => {
  world = await createFlowWorld();
  // Cold starts read the secret and the ledger once; what is counted is the everyday of a warm function.
  await world.sendExample('question.eml');
}, 60_000);
afterAll(() => world.close());

/** The calls made by our code in the functions, without those of the platform that feeds them. */
function functionCalls(): AwsCall[] {
  const keys = world.cloud.plan.functions.map(({ caller }) => world.cloud.credentialsFor(caller).accessKeyId);
  return keys.flatMap((accessKeyId) => world.cloud.calls.list({ accessKeyId }));
}

function named(calls: readonly AwsCall[]): string[] {
  return calls.map(({ service, operation }) => `${service}:${operation}`);
}

describe('calls-inbound', () => {
  it('a lone mail takes at most 9 calls from the queue to the approval request', async () => {
    world.cloud.calls.clear();
    await world.sendExample('html-only.eml');
    const calls = functionCalls();
    expect(calls.length, named(calls).join(' ')).toBeLessThanOrEqual(9);
    expect(named(calls)).toContain('dynamodb:UpdateItem');
  });

  it('a duplicate takes one call', async () => {
    const last = world.notifications.at(-1) ?? '';
    world.cloud.calls.clear();
    await enqueueNotifications(world, [last]);
    expect(named(functionCalls())).toEqual(['dynamodb:UpdateItem']);
  });

  it('ten mails at once take at most 4.5 calls each', async () => {
    const raw = (await readFile(path.join(EXAMPLE_MAILS, 'question.eml'), 'latin1')).replace(
      /^Return-Path:.*\r\n/,
      '',
    );
    const pause = stopPublishing();
    for (let i = 0; i < 10; i++) {
      await world.send(
        Buffer.from(raw.replace(/^Message-ID: <.*>/im, `Message-ID: <copy-${i}@pinewood.example>`), 'latin1'),
      );
    }
    const ten = pause();
    world.cloud.calls.clear();
    await enqueueNotifications(world, ten);
    const calls = functionCalls();
    // All ten went the whole way: begun, claimed and released.
    expect(ten).toHaveLength(10);
    expect(named(calls).filter((name) => name === 'dynamodb:UpdateItem')).toHaveLength(30);
    expect(calls.length, named(calls).join(' ')).toBeLessThanOrEqual(45);
  });

  /** Notes the notifications of the mails that come meanwhile, for another delivery later. */
  function stopPublishing(): () => string[] {
    const from = world.notifications.length;
    return () => world.notifications.slice(from).map((text, i) => underAnotherId(text, `again-${i}`));
  }
});

it('calls-execute: from approved to sent and recorded takes at most 6 calls', async () => {
  await world.withAgent(async (agent) => {
    await syncVault(agent);
    const [task] = [...agent.session.state.tasks.values()].filter(
      ({ state }) => state === 'pending_approval',
    );
    if (!task) throw new Error('nothing waits');
    await approveTask(agent, task.taskId, { method: 'command' });
    world.cloud.calls.clear();
    const report = await executeApproved(agent);
    expect(report.executed).toMatchObject([{ taskId: task.taskId, outcome: 'succeeded' }]);
    const calls = world.cloud.calls.list({ accessKeyId: world.cloud.credentialsFor('agent').accessKeyId });
    expect(named(calls)).toContain('ses:SendRawEmail');
    expect(calls.length, named(calls).join(' ')).toBeLessThanOrEqual(6);
  });
});
