import { sha256Hex } from '#protocol/canonical.ts';
import type { NoteRef } from '#protocol/ledger-body.ts';
import type { Explanation } from '#protocol/note-explanation.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import { load, store } from '../contents.ts';
import { settleVoided } from '../settle-items.ts';
import { appendNote, mayEdit } from './append-note.ts';
import type { NoteChange } from './append-note.ts';
import { explainNote, inWords } from './explain-note.ts';
import { keepBoth } from './keep-both.ts';
import { mergeNote } from './merge-note.ts';
import { explained, sayTheSame } from './note-text.ts';
import { approvalVoid, keptAside } from './note-words.ts';
import type { NotesReport } from './notes-report.ts';

const CHANGED = 'the note was changed after it was approved';
const MAX_TRIES = 3;

/** A note as the scan found it. */
export interface FoundNote {
  readonly path: string;
  readonly hash: string;
}

/**
 * Takes a person's edit of a task's note into the ledger: as it is, or merged with what came from
 * elsewhere meanwhile. An edit of an approved note voids the approval. What cannot be merged, or comes
 * when the note cannot be changed, is kept under `Conflicts/`.
 *
 * @param explanation goes into the note in the same entry.
 * @returns `settled` when the file may be replaced by the ledger's note; `left` when it has to stay as it is.
 */
export async function takeEdit(
  agent: Agent,
  task: TaskView,
  found: FoundNote,
  explanation: Explanation | undefined,
  report: NotesReport,
): Promise<'settled' | 'left'> {
  const bytes = await agent.files.read(found.path);
  if (!bytes || sha256Hex(bytes) !== found.hash) return 'left';
  for (let tries = 0; tries < MAX_TRIES && task.note; tries++) {
    const last = agent.copy.noteAt(task.taskId);
    const theirs = await load(agent, task.note.content, 'shared');
    const isPlain = last?.sha256 === task.note.content.sha256;
    // Died after it was taken, before the note in the vault followed.
    if (!isPlain && sayTheSame(bytes, theirs)) return settle(agent, task, found);
    const why = withheldContent(bytes, theirs);
    if (why !== undefined) {
      report.explained.push(`${found.path}: ${why}; the edit stays on this machine`);
      if (task.state === 'approved') await voidApproval(agent, task, CHANGED, report);
      if (isPlain) return 'left';
      report.conflicts.push(await keepBoth(agent, found.path, bytes, task.note.content.sha256));
      return settle(agent, task, found);
    }
    if (!mayEdit(agent, task)) {
      await setAside(agent, task, { path: found.path, bytes }, 'busy', report);
      return settle(agent, task, found);
    }
    const merged = isPlain ? bytes : await mergeNote(agent, last, bytes, theirs);
    if (!merged) {
      if (task.state === 'approved') await voidApproval(agent, task, CHANGED, report);
      await setAside(agent, task, { path: found.path, bytes }, 'merge', report);
      return settle(agent, task, found);
    }
    if (Buffer.compare(merged, theirs) === 0) return settle(agent, task, found);
    if (await append(agent, task, { bytes, merged, explanation }, report)) return settle(agent, task, found);
  }
  return 'left';
}

/** Takes an approval back, and says so in the note. */
export async function voidApproval(
  agent: Agent,
  task: TaskView,
  reason: string,
  report: NotesReport,
): Promise<void> {
  if (!task.note) return;
  const bytes = explained(await load(agent, task.note.content, 'shared'), approvalVoid(reason));
  const note = { name: task.note.name, content: await store(agent, bytes, 'shared') };
  if (await appendNote(agent, task, [{ event: 'voided', reason, note }])) {
    await tellVoided(agent, task, reason, report);
  }
}

async function append(
  agent: Agent,
  task: TaskView,
  {
    bytes,
    merged,
    explanation,
  }: { bytes: Uint8Array; merged: Uint8Array; explanation: Explanation | undefined },
  report: NotesReport,
): Promise<boolean> {
  const isVoid = task.state === 'approved';
  const said = isVoid ? approvalVoid(CHANGED) : explanation;
  const name = task.note?.name ?? '';
  const refOf = async (text: Uint8Array): Promise<NoteRef> => ({
    name,
    content: await store(agent, text, 'shared'),
  });
  const result = said ? explained(merged, said) : merged;
  const last = await refOf(result);
  const told = explanation && !isVoid ? { reason: inWords(explanation) } : {};
  const begin = isVoid
    ? ({ event: 'voided', reason: CHANGED } as const)
    : ({ event: 'edited', ...told } as const);
  // What the person wrote stands in the ledger as it was written, also where the note says more.
  const changes: NoteChange[] =
    Buffer.compare(result, bytes) === 0
      ? [{ ...begin, note: last }]
      : [
          { ...begin, note: await refOf(bytes) },
          { event: 'edited', ...told, note: last },
        ];
  if (!(await appendNote(agent, task, changes))) return false;
  if (isVoid) await tellVoided(agent, task, CHANGED, report);
  else report.pushed += 1;
  return true;
}

async function tellVoided(agent: Agent, task: TaskView, reason: string, report: NotesReport): Promise<void> {
  await settleVoided(agent, task);
  report.pushed += 1;
  report.explained.push(`${task.note?.name ?? ''}: ${reason}; approve it again if it is right`);
}

/** Keeps a version under `Conflicts/`, and says so in the note. */
export async function setAside(
  agent: Agent,
  task: TaskView,
  version: { readonly path: string; readonly bytes: Uint8Array },
  why: 'merge' | 'twin' | 'busy',
  report: NotesReport,
): Promise<void> {
  const copy = await keepBoth(agent, version.path, version.bytes, task.note?.content.sha256);
  report.conflicts.push(copy);
  const explanation = keptAside(copy, why, task.state);
  report.explained.push(`${version.path}: ${inWords(explanation)}`);
  if (await explainNote(agent, task, explanation)) report.pushed += 1;
}

/** From here on the bytes that stand in the vault are known to be kept. */
function settle(agent: Agent, task: TaskView, { path, hash }: FoundNote): 'settled' {
  agent.copy.setNoteAt(task.taskId, path, hash);
  return 'settled';
}
