import type { TaskChange } from '#protocol/ledger-body.ts';
import { statesBefore } from '#protocol/task.ts';
import type { TaskEvent } from '#protocol/task.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';

/**
 * Appends one event of one task, if the task still is as `expected` says when its turn comes.
 *
 * @returns whether it was appended and every reader accepts it.
 */
export async function appendChange(
  agent: Agent,
  expected: Pick<TaskView, 'taskId' | 'epoch'>,
  event: TaskEvent,
  details: Pick<TaskChange, 'reason' | 'note'>,
): Promise<boolean> {
  const { taskId, epoch } = expected;
  const outcome = await agent.session.append((state) => {
    const task = state.tasks.get(taskId);
    if (task?.epoch !== epoch || !statesBefore(event).includes(task.state)) return undefined;
    return { taskId, epoch, body: { kind: 'task', changes: [{ taskId, epoch, event, ...details }] } };
  });
  return outcome.appended && accepted(agent.session.state, outcome.entry.n);
}

/** Whether nothing of an entry was refused by the rules of replay. */
export function accepted(state: VaultState, n: number): boolean {
  return !state.refusals.some((refusal) => refusal.n === n);
}
