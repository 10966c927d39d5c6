import { sha256Hex } from '#protocol/canonical.ts';
import { notePath, zoneOf } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { load } from '../contents.ts';
import { sayTheSame } from './note-text.ts';
import type { VaultChange } from './vault-change.ts';

/**
 * Brings the note of a task to the place and the bytes that the ledger says. `from` is where it stands
 * now, if it stands anywhere. Bytes that are neither the ledger's nor the ones this machine last put
 * there are somebody's work: nothing takes their place.
 *
 * @param changes takes what was done to the vault.
 * @returns whether anything was changed.
 */
export async function placeNote(
  agent: Agent,
  task: TaskView,
  from: string | undefined,
  changes: VaultChange[] = [],
): Promise<boolean> {
  const target = notePath(task);
  if (target === undefined || !task.note) return false;
  const wanted = task.note.content.sha256;
  const last = agent.copy.noteAt(task.taskId);
  const source = from === undefined || from === target ? undefined : await leave(agent, task, from, target);
  let changed = source?.moved === true;
  const present = await agent.files.read(target);
  const hash = present ? sha256Hex(present) : null;
  if (hash !== wanted) {
    const bytes = await load(agent, task.note.content, 'shared');
    // Somebody's work that came since the look: the next sync takes it, or keeps both versions.
    if (present && hash !== last?.sha256 && !isKept(agent, task, present, bytes)) return changed;
    // Changed under our hands: the next sync looks at it afresh.
    if ((await agent.files.write(target, bytes, hash)) === 'changed') return true;
    changed = true;
  }
  if (source?.moved === false && (source.hash === wanted || source.hash === last?.sha256)) {
    changed = (await agent.files.remove(source.path, source.hash)) === 'removed' || changed;
  }
  const fileId = (await agent.files.stat(target))?.fileId ?? '';
  agent.copy.setNoteAt(task.taskId, target, wanted, task.noteN ?? 0, fileId);
  if (changed) {
    const moved = source !== undefined;
    const writer = agent.copy.entryAt(task.updatedN)?.writer ?? agent.config.agent;
    changes.push({
      direction: 'in',
      op: moved ? 'move' : 'put',
      path: target,
      ...(moved ? { from: source.path } : {}),
      zone: zoneOf(agent.session.state, writer) ?? 'local',
      taskId: task.taskId,
    });
  }
  return changed;
}

interface Source {
  readonly path: string;
  readonly hash: string;
  /** `false` when something stood in its way. */
  readonly moved: boolean;
}

async function leave(
  agent: Agent,
  task: TaskView,
  path: string,
  target: string,
): Promise<Source | undefined> {
  const last = agent.copy.noteAt(task.taskId);
  // Until the note has arrived nobody can tell a person's move from this one.
  if (last) agent.copy.setNoteAt(task.taskId, '', last.sha256, last.n);
  const bytes = await agent.files.read(path);
  if (!bytes) return undefined;
  const hash = sha256Hex(bytes);
  // Another task's note has come to stand there meanwhile.
  if (hash !== task.note?.content.sha256 && hash !== last?.sha256 && isNote(agent, hash)) return undefined;
  return { path, hash, moved: (await agent.files.move(path, target, hash)) === 'moved' };
}

/** Whether nothing is lost when the ledger's note takes the place of these bytes. */
function isKept(agent: Agent, task: TaskView, present: Uint8Array, wanted: Uint8Array): boolean {
  // They were taken into the ledger, and explained in the same entry.
  const isTaken = agent.copy.noteAt(task.taskId)?.sha256 !== sha256Hex(wanted) && sayTheSame(present, wanted);
  return isTaken || isNote(agent, sha256Hex(present));
}

/**
 * Whether bytes are the ledger's of some task, or were when this machine last had its note in hand: two notes
 * that changed places, say, and each of which would wait for the other for ever.
 */
function isNote(agent: Agent, hash: string): boolean {
  for (const { note } of agent.session.state.tasks.values()) if (note?.content.sha256 === hash) return true;
  for (const { sha256 } of agent.copy.allNotes().values()) if (sha256 === hash) return true;
  return false;
}
