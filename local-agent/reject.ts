import { EmployeeError } from '#protocol/errors.ts';
import { shortId } from '#protocol/ids.ts';
import { statesBefore } from '#protocol/task.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { foldName } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { appendChange } from './append-change.ts';
import { placeNote } from './sync/place-note.ts';
import { unexplainedNote } from './sync/unexplained-note.ts';
import { scanVault } from './sync/scan.ts';

/** The task is past the point where it could be rejected. */
export class NotRejectableError extends EmployeeError {
  static override readonly code = 'NOT_REJECTABLE';
}

/**
 * Ends a task without running it; the reason goes into the ledger. What its note explained is over.
 *
 * @param path where the note stands, where that is known.
 * @throws {NotRejectableError} when it is running or ended already.
 */
export async function rejectTask(agent: Agent, taskId: string, reason: string, path?: string): Promise<void> {
  await agent.session.pull();
  const task = agent.session.state.tasks.get(taskId);
  const from = path ?? (task && (await standingAt(agent, task)));
  const note = task && from !== undefined ? await unexplainedNote(agent, task, from) : undefined;
  const done =
    task &&
    statesBefore('rejected').includes(task.state) &&
    (await appendChange(agent, task, 'rejected', { reason, ...(note ? { note } : {}) }));
  if (!done)
    throw new NotRejectableError(
      `${shortId(taskId)} is ${task?.state ?? 'unknown'} and cannot be rejected any more`,
    );
  await agent.tasks.settle(taskId, 'rejected', 'local');
  await placeNote(agent, task, from);
}

async function standingAt(agent: Agent, task: TaskView): Promise<string | undefined> {
  const name = foldName(task.note?.name ?? '');
  const paths = [...(await scanVault(agent)).files.keys()];
  return paths.find(
    (path) => taskFolderOf(path) !== undefined && foldName(path.split('/').at(-1) ?? '') === name,
  );
}
