import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { lostIntentsOf } from '#local-agent/lost-intents.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { AwsCall } from '#local-cloud/call-log.ts';
import { EXAMPLE_MAILS } from './example-mails.ts';
import { enqueueNotifications, underAnotherId } from './enqueue.ts';
import type { FlowWorld } from './flow-world.ts';

/** Cold starts read the secret and the ledger once; what is counted is the everyday of a warm function. */
export async function warmUp(world: FlowWorld): Promise<void> {
  await world.sendExample('question.eml');
}

/** One mail from SMTP to the approval request, alone in its batch. */
export async function loneMail(world: FlowWorld): Promise<void> {
  await world.sendExample('html-only.eml');
}

/** Ten mails that were never dealt with, put on the queue at once. `begun` is called right before. */
export async function tenMails(world: FlowWorld, begun: () => void): Promise<number> {
  const file = path.join(EXAMPLE_MAILS, 'question.eml');
  const raw = (await readFile(file, 'latin1')).replace(/^Return-Path:.*\r\n/, '');
  const from = world.notifications.length;
  for (let i = 0; i < 10; i++) {
    await world.send(
      Buffer.from(raw.replace(/^Message-ID: <.*>/im, `Message-ID: <copy-${i}@pinewood.example>`), 'latin1'),
    );
  }
  const again = world.notifications.slice(from).map((text, i) => underAnotherId(text, `again-${i}`));
  begun();
  await enqueueNotifications(world, again);
  return again.length;
}

/**
 * The owner's yes to one draft that waits, carried out by a process that has looked into the archive before, as the daemon
 * does once a day. `opened` is called then, and `approved` once there is nothing else to do.
 */
export async function executeOne(
  world: FlowWorld,
  { opened, approved }: { readonly opened?: () => void; readonly approved?: () => void },
): Promise<string> {
  return world.withAgent(async (agent) => {
    await lostIntentsOf(agent, 'none');
    opened?.();
    await syncVault(agent);
    const [task] = [...agent.session.state.tasks.values()].filter(
      ({ state }) => state === 'pending_approval',
    );
    if (!task) throw new Error('nothing waits');
    await approveTask(agent, task.taskId, { method: 'command' });
    approved?.();
    const { executed } = await executeApproved(agent);
    const [only] = executed;
    if (only?.taskId !== task.taskId) throw new Error('something else was executed');
    return only.outcome;
  });
}

/**
 * The calls made by our code in the functions on the way of a mail, without those of the platform that feeds them, and
 * without the copies for the archive, which follow in their own time.
 */
export function functionCalls(world: FlowWorld): AwsCall[] {
  return callsOf(world, ({ caller }) => caller !== 'Archive');
}

/** The calls that copy the ledger to the archive. */
export function archiveCalls(world: FlowWorld): AwsCall[] {
  return callsOf(world, ({ caller }) => caller === 'Archive');
}

function callsOf(
  { cloud }: FlowWorld,
  isMeant: (planned: { readonly caller: string }) => boolean,
): AwsCall[] {
  const keys = cloud.plan.functions
    .filter(isMeant)
    .map(({ caller }) => cloud.credentialsFor(caller).accessKeyId);
  return keys.flatMap((accessKeyId) => cloud.calls.list({ accessKeyId }));
}
