import { sha256Hex } from '#protocol/canonical.ts';
import { statesBefore } from '#protocol/task.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { load } from '../contents.ts';
import { keepBoth } from './keep-both.ts';

/**
 * Brings the note of a task to the place and the bytes that the ledger says. `from` is where it stands
 * now, if it stands anywhere. Bytes that are neither the ledger's nor the ones this machine last put
 * there are somebody's work: they are kept under `Conflicts/` before anything takes their place.
 *
 * @returns whether anything was changed.
 */
export async function placeNote(agent: Agent, task: TaskView, from: string | undefined): Promise<boolean> {
  const target = notePath(task);
  if (target === undefined || !task.note) return false;
  const wanted = task.note.content.sha256;
  let changed = false;
  const last = agent.copy.noteAt(task.taskId);
  if (from !== undefined && from !== target) {
    // Until the note has arrived nobody can tell a person's move from this one.
    if (last) agent.copy.setNoteAt(task.taskId, '', last.sha256);
    const bytes = await agent.files.read(from);
    if (bytes) changed = (await agent.files.move(from, target, sha256Hex(bytes))) === 'moved';
  }
  const present = await agent.files.read(target);
  const hash = present ? sha256Hex(present) : null;
  if (hash !== wanted) {
    if (present && hash !== last?.sha256) {
      const event = task.state === 'approved' ? 'voided' : 'edited';
      // An edit of what the ledger has, made since the look: the next sync takes it.
      if (last?.sha256 === wanted && statesBefore(event).includes(task.state)) return changed;
      await keepBoth(agent, target, present);
    }
    const bytes = await load(agent, task.note.content, 'shared');
    // Changed under our hands: the next sync looks at it afresh.
    if ((await agent.files.write(target, bytes, hash)) === 'changed') return true;
    changed = true;
  }
  agent.copy.setNoteAt(task.taskId, target, wanted);
  return changed;
}
