import type { NoteRef } from '#protocol/ledger-body.ts';
import { statesBefore } from '#protocol/task.ts';
import type { TaskEvent } from '#protocol/task.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { accepted } from '../append-change.ts';

/** One event of a task that has to do with its note. */
export interface NoteChange {
  readonly event: Extract<TaskEvent, 'edited' | 'voided'>;
  readonly reason?: string;
  readonly note?: NoteRef;
}

/**
 * Appends events of one task as one entry, if the task and its note still are what they are now when the
 * entry's turn comes: what another machine wrote meanwhile is never written over.
 *
 * @returns whether it was appended and every reader accepts it.
 */
export async function appendNote(
  agent: Agent,
  task: TaskView,
  changes: readonly NoteChange[],
): Promise<boolean> {
  // The view follows the ledger: what it says now has to be kept.
  const { taskId, epoch, state: before } = task;
  const basis = task.note?.content.sha256;
  const outcome = await agent.session.append((state) => {
    const now = state.tasks.get(taskId);
    if (now?.epoch !== epoch || now.state !== before || now.note?.content.sha256 !== basis) return undefined;
    return {
      taskId,
      epoch,
      body: { kind: 'task', changes: changes.map((change) => ({ taskId, epoch, ...change })) },
    };
  });
  return outcome.appended && accepted(agent.session.state, outcome.entry.n);
}

/** Whether this machine may bring other bytes into a task's note by a plain edit, or by voiding an approval. */
export function mayEdit(agent: Agent, task: TaskView): boolean {
  if (task.state === 'drafting') return task.owner === agent.config.agent;
  return statesBefore(task.state === 'approved' ? 'voided' : 'edited').includes(task.state);
}
