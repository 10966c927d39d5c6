import type { ContentRef, HeldContent } from '#protocol/content.ts';
import { SealError } from '#protocol/errors.ts';
import type { NoteRef } from '#protocol/ledger-body.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { LedgerCopy } from './ledger-copy.ts';

/**
 * The state without the inline text of tasks' notes, each of which stands in an entry as well.
 *
 * @param keeps the tasks whose text stays. @default none
 */
export function leanState(state: VaultState, keeps: (task: TaskView) => boolean = () => false): VaultState {
  const tasks = new Map<string, TaskView>();
  for (const [taskId, task] of state.tasks) tasks.set(taskId, keeps(task) ? task : leanTask(task));
  return { ...state, tasks };
}

function leanTask(task: TaskView): TaskView {
  const { note, noteN, approval } = task;
  return {
    ...task,
    ...(note && noteN !== undefined ? { note: leanNote(note, noteN) } : {}),
    ...(approval ? { approval: { ...approval, note: leanNote(approval.note, approval.n) } } : {}),
  };
}

function leanNote(note: NoteRef, n: number): NoteRef {
  const { content } = note;
  // Not looked at: it may be a text that is fetched only then.
  if (!('text' in content)) return note;
  const lean: HeldContent = { sha256: content.sha256, sizeBytes: content.sizeBytes, entry: n };
  return { name: note.name, content: lean as HeldContent as ContentRef };
}

/** Whether a note's text is in memory, rather than to be fetched when it is asked for. */
export function hasTextAtHand(note: NoteRef | undefined): boolean {
  return note !== undefined && Object.getOwnPropertyDescriptor(note.content, 'text')?.value !== undefined;
}

/** Puts the text back into a lean state: it is fetched from the copy of the ledger whenever it is asked for. */
export function fattenState(state: VaultState, copy: LedgerCopy): VaultState {
  for (const task of state.tasks.values()) {
    if (task.note) task.note = fatNote(task.note, copy);
    if (task.approval) task.approval = { ...task.approval, note: fatNote(task.approval.note, copy) };
  }
  return state;
}

function fatNote(note: NoteRef, copy: LedgerCopy): NoteRef {
  const content = note.content as HeldContent;
  if (!('entry' in content)) return note;
  const { sha256, sizeBytes, entry } = content;
  const fat: ContentRef = {
    sha256,
    sizeBytes,
    get text() {
      const found = copy.contentAt(entry, sha256);
      if (found && 'text' in found) return found.text;
      throw new SealError(`entry ${entry} is not on this machine yet; "employee sync" fetches it`);
    },
  };
  return { name: note.name, content: fat };
}
