import { statesBefore } from '#protocol/task.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';

/** What a person asked for by moving a note on this machine. */
export interface Wish {
  readonly taskId: string;
  readonly wish: 'approve' | 'reject';
  readonly path: string;
  /** The bytes that were looked at; nothing else is meant. */
  readonly hash: string;
}

/** A note that no wish moved: it holds other bytes, it is another file, or the move means nothing. */
export type NoWish = 'unlike' | 'unknown-file' | 'moved';

/**
 * Reads a note that stands where neither the ledger nor this agent put it. A move into `Approved/` is a
 * wish only of the very file that this machine itself had put into `Pending_Approval/`, with the very
 * bytes that the ledger has: what a sync, Git or another device writes there is another file, and a move
 * that brings another text along is not the approval of that text. On a disk that cannot tell files apart
 * no move approves.
 */
export async function wishOf(
  agent: Agent,
  task: TaskView,
  found: { readonly path: string; readonly hash: string },
): Promise<Wish | NoWish> {
  const { path, hash } = found;
  const last = agent.copy.noteAt(task.taskId);
  const folder = taskFolderOf(path);
  const ours = last !== undefined && last.path === notePath(task);
  if (folder === 'Approved' && task.state === 'pending_approval') {
    if (!ours || hash !== last.sha256 || hash !== task.note?.content.sha256) return 'unlike';
    const fileId = (await agent.files.stat(path))?.fileId ?? '';
    if (fileId === '' || fileId !== last.fileId) return 'unknown-file';
    return { taskId: task.taskId, wish: 'approve', path, hash };
  }
  if (folder === 'Rejected' && ours && statesBefore('rejected').includes(task.state)) {
    return { taskId: task.taskId, wish: 'reject', path, hash };
  }
  return 'moved';
}
