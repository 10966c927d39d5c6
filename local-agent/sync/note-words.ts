import type { Explanation } from '#protocol/note-explanation.ts';
import type { TaskState } from '#protocol/task.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';

const AT_WORK: Partial<Record<TaskState, string>> = {
  drafting: 'its draft is being written',
  executing: 'it is being carried out',
};

/** Why a note that was moved or renamed stands at its own place again. */
export function putBack(task: TaskView, path: string, why: 'moved' | 'unlike' | 'unknown-file'): Explanation {
  const target = notePath(task) ?? '';
  const [from, to] = [folderOf(path), folderOf(target)];
  if (from === to) {
    const name = path.split('/').at(-1) ?? path;
    return { what: 'put back', why: `It was renamed to "${name}". The note of a task keeps its name.` };
  }
  return {
    what: 'put back',
    why: `It was found in ${from} and belongs into ${to}: ${reason(task, path, why)}.`,
  };
}

function reason(task: TaskView, path: string, why: 'moved' | 'unlike' | 'unknown-file'): string {
  const toApprove = taskFolderOf(path) === 'Approved' && task.state === 'pending_approval';
  if (toApprove && why === 'unlike') {
    return 'it was edited and moved in one go, or changed elsewhere meanwhile, and a move approves only what you saw. Read it once more and move it again';
  }
  if (toApprove && why === 'unknown-file') {
    return 'it was not moved there but written there anew, by a sync or another program, which approves nothing. Move it yourself, or use "employee approve"';
  }
  return AT_WORK[task.state] ?? `the task is ${task.state.replaceAll('_', ' ')}, and its note stands there`;
}

/** Why a note that was deleted is there again. */
export function restored(): Explanation {
  return {
    what: 'put back',
    why: 'It was missing. Work is ended by rejecting it ("employee reject", or a move to Rejected/), not by deleting it.',
  };
}

/** Why an approval does not hold any more. */
export function approvalVoid(reason: string): Explanation {
  return { what: 'approval void', why: `Nothing was run: ${reason}. Approve it again if it is right.` };
}

/** Where the other version of a note went. */
export function keptAside(copy: string, why: 'merge' | 'twin' | 'busy', state: TaskState): Explanation {
  const reason = {
    merge: 'It was changed here and elsewhere in the same place, and only you can say what is right.',
    twin: 'There were two notes of this task that say different things, and only one can stand here.',
    busy: `It was edited while ${AT_WORK[state] ?? `the task was ${state}`}, when it cannot be changed.`,
  }[why];
  return { what: 'both versions kept', why: `${reason} The other version is ${copy}.` };
}

/** Why a note that no task knows was taken out of the way. */
export function quarantined(path: string): Explanation {
  return {
    what: 'quarantined',
    why: `It stood in ${folderOf(path)} and belongs to no task, so nothing of it runs. Keep what you need of it, then reject it ("employee reject", or a move to Rejected/).`,
  };
}

/** Why a wish was not granted. */
export function refusedWish(wish: 'approve' | 'reject', message: string): Explanation {
  return { what: wish === 'approve' ? 'not approved' : 'not rejected', why: `${message}.` };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
