import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { statesBefore } from '#protocol/task.ts';
import type { Agent } from '../agent.ts';

/** What a person asked for by moving a note on this machine. */
export interface Wish {
  readonly taskId: string;
  readonly wish: 'approve' | 'reject';
  readonly path: string;
  /** The bytes that were looked at; nothing else is meant. */
  readonly hash: string;
}

/**
 * Reads a note that stands where neither the ledger nor this agent put it. A move into `Approved/` is a
 * wish only if this machine itself had put the note into `Pending_Approval/`, with these very bytes: a
 * move that brings another text along is not the approval of that text.
 */
export function wishOf(
  agent: Agent,
  task: TaskView,
  path: string,
  hash: string | undefined,
): Wish | undefined {
  const last = agent.copy.noteAt(task.taskId);
  if (!last || last.path !== notePath(task)) return undefined;
  if (hash === undefined) return undefined;
  const folder = taskFolderOf(path);
  const untouched = hash === last.sha256 && hash === task.note?.content.sha256;
  if (folder === 'Approved' && task.state === 'pending_approval' && untouched) {
    return { taskId: task.taskId, wish: 'approve', path, hash };
  }
  if (folder === 'Rejected' && statesBefore('rejected').includes(task.state)) {
    return { taskId: task.taskId, wish: 'reject', path, hash };
  }
  return undefined;
}
