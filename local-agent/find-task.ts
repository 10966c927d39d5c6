import { EmployeeError } from '#protocol/errors.ts';
import { shortId } from '#protocol/ids.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';

/** No task of this vault begins so. */
export class TaskNotFoundError extends EmployeeError {
  static override readonly code = 'TASK_NOT_FOUND';
}

/** More than one task begins so; the message lists them. */
export class AmbiguousTaskError extends EmployeeError {
  static override readonly code = 'TASK_AMBIGUOUS';
}

/**
 * The task that an id or an unambiguous beginning of one names.
 *
 * @throws {TaskNotFoundError} {@link AmbiguousTaskError}
 */
export function findTask(agent: Pick<Agent, 'session'>, prefix: string): TaskView {
  const wanted = prefix.trim().toLowerCase();
  const matches = [...agent.session.state.tasks.values()].filter((task) => task.taskId.startsWith(wanted));
  const [first, second] = matches;
  if (!first || wanted === '') {
    throw new TaskNotFoundError(`no task begins with "${prefix}"; "employee inbox --all" lists them`);
  }
  if (second) {
    const list = matches.slice(0, 10).map((task) => `${shortId(task.taskId)}… ${task.mail?.subject ?? ''}`);
    throw new AmbiguousTaskError(
      `"${prefix}" fits ${matches.length} tasks; give more of the id:\n  ${list.join('\n  ')}`,
    );
  }
  return first;
}
