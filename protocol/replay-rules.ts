import { EPOCH_WINDOW } from './claim.ts';
import type { NoteRef } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { statesBefore, transition } from './task.ts';
import type { TaskEvent } from './task.ts';
import { foldName } from './vault-state.ts';
import type { Refusal, TaskView, VaultState } from './vault-state.ts';

/** Why a part of an entry is refused, or `undefined` when it took effect. */
export type Verdict = Omit<Refusal, 'n' | 'writer' | 'taskId'> | undefined;

/**
 * Old epochs are refused: their writer lost the task and does not know it yet. So are epochs far ahead: no
 * honest claim could ever follow them, and the task would be lost to everybody.
 */
export function fenced(task: Pick<TaskView, 'epoch'>, epoch: number | undefined): Verdict {
  if (epoch !== undefined && epoch >= task.epoch && epoch <= task.epoch + EPOCH_WINDOW) return undefined;
  return incident('stale-epoch', `written with epoch ${epoch ?? 'none'}, the task is at ${task.epoch}`);
}

/** One owner, one epoch: whoever takes a task needs one that nobody had. */
export function raised(task: Pick<TaskView, 'epoch'>, epoch: number | undefined): Verdict {
  return (
    fenced(task, epoch) ??
    (epoch === task.epoch ? incident('stale-epoch', `took the task with its old epoch ${epoch}`) : undefined)
  );
}

/** A note keeps its name for life, and no two tasks share one: a second would hide the first. */
export function takeName(
  state: VaultState,
  taskId: string,
  had: NoteRef | undefined,
  note: NoteRef | undefined,
): Verdict {
  if (!note) return undefined;
  if (had && had.name !== note.name) return incident('zone', `renamed its note to ${note.name}`);
  // No scan would ever see it.
  if (note.name.startsWith('.')) return incident('zone', `gave its note the hidden name ${note.name}`);
  const name = foldName(note.name);
  const holder = state.noteNames.get(name);
  if (holder !== undefined && holder !== taskId) {
    return incident('zone', `put its note in the place of the note of ${holder}`);
  }
  state.noteNames.set(name, taskId);
  return undefined;
}

/** Lets an event change a task, if the task is in a state in which it may happen. */
export function moved(task: TaskView, event: TaskEvent, change: () => Verdict): Verdict {
  if (!statesBefore(event).includes(task.state)) {
    return late('illegal-transition', `${event}, but the task is ${task.state}`);
  }
  const next = transition(task, event);
  const refused = change();
  if (!refused) task.state = next;
  return refused;
}

/** Notes which entry last changed a task. */
export function touch(task: TaskView, entry: LedgerEntry): undefined {
  task.updatedAt = entry.at;
  task.updatedN = entry.n;
  return undefined;
}

/** Sets a member, or removes it. */
export function set<K extends 'owner' | 'reason' | 'explained'>(
  task: TaskView,
  key: K,
  value: string | undefined,
): void {
  if (value === undefined) delete task[key];
  else task[key] = value;
}

/** A refusal of what nobody honest writes. */
export function incident(code: Refusal['code'], message: string): Verdict {
  return { severity: 'incident', code, message };
}

/** A refusal of what lost an honest race. */
export function late(code: Refusal['code'], message: string): Verdict {
  return { severity: 'late', code, message };
}
