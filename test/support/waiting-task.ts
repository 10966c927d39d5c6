import { taskIdOfMail } from '#protocol/ids.ts';
import { mailRecord, noteOf } from './local-world.ts';
import type { LocalWorld } from './local-world.ts';

/** A mail that triage has put into `Needs_Action/`, with a note that could be run as it stands. */
export async function waitingTask(world: LocalWorld, name = 'lunch'): Promise<string> {
  const taskId = taskIdOfMail(name);
  const mail = mailRecord(name);
  const note = noteOf(taskId, mail, 'Hello Alice,\n\nTuesday suits me.');
  await world.tasks.begin(taskId);
  const created = { taskId, epoch: 0, event: 'created', state: 'needs_action', mail, note } as const;
  await world.forge('cloud', { kind: 'task', changes: [created] });
  await world.tasks.settle(taskId, 'noted', 'cloud');
  return taskId;
}

/** A cloud function claims the task, and is not heard of again. */
export async function claimedByCloud(world: LocalWorld, taskId: string): Promise<number> {
  const answer = await world.tasks.claim({
    ...{ taskId, owner: 'cloud', attemptId: 'a-message', zone: 'cloud', leaseMs: 120_000 },
    from: ['received', 'needs_action'],
    to: 'drafting',
  });
  if (!answer.won) throw new Error('the cloud could not claim');
  return answer.task.epoch;
}
