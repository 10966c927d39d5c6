import { sha256Hex } from '#protocol/canonical.ts';
import type { NoteRef } from '#protocol/ledger-body.ts';
import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';
import { statesBefore } from '#protocol/task.ts';
import { withheldContent } from '#protocol/withheld.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { foldName, notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { appendChange } from '../append-change.ts';
import { store } from '../contents.ts';
import { keepBoth } from './keep-both.ts';
import { placeNote } from './place-note.ts';
import type { Scan } from './scan.ts';
import { wishOf } from './wishes.ts';
import type { Wish } from './wishes.ts';

/** What became of the tasks' notes in one sync. */
export interface NotesReport {
  applied: number;
  pushed: number;
  readonly wishes: Wish[];
  /** What was put back, in words for the person. */
  readonly explained: string[];
}

/**
 * Brings the notes of all tasks and the ledger together: takes a person's edits into the ledger, reads
 * moves on this machine as wishes, and puts everything else where the ledger says.
 */
export async function syncNotes(agent: Agent, scan: Scan): Promise<NotesReport> {
  const report: NotesReport = { applied: 0, pushed: 0, wishes: [], explained: [] };
  const found = notesByName(scan);
  for (const task of agent.session.state.tasks.values()) {
    if (!task.note) continue;
    const { name } = task.note;
    try {
      const path = await onePlace(agent, task, found.get(foldName(name)) ?? [], report);
      await syncNote(agent, task, path, path === undefined ? undefined : scan.files.get(path), report);
    } catch (error) {
      // One note that cannot be placed (altered contents, a link in its way) must not keep the others.
      if (!(error instanceof EmployeeError) || error instanceof LedgerIntegrityError) throw error;
      report.explained.push(`${name} could not be brought in step: ${error.message}`);
    }
  }
  return report;
}

async function syncNote(
  agent: Agent,
  task: TaskView,
  path: string | undefined,
  hash: string | undefined,
  report: NotesReport,
): Promise<void> {
  const target = notePath(task);
  if (target === undefined || !task.note) return;
  const wanted = task.note.content.sha256;
  const last = agent.copy.noteAt(task.taskId);
  if (path === target && hash === wanted) {
    if (last?.path !== target || last.sha256 !== wanted) agent.copy.setNoteAt(task.taskId, target, wanted);
    return;
  }
  if (path !== undefined && path !== target && path !== last?.path) {
    const wish = wishOf(agent, task, path, hash);
    if (wish) {
      report.wishes.push(wish);
      return;
    }
    report.explained.push(`${path} was put back to ${target}: ${whyBack(task)}`);
  }
  if (path === undefined && last)
    report.explained.push(`${last.path || target} was missing and is back: ${WHY_RESTORED}`);
  const edited = path !== undefined && hash !== wanted && hash !== last?.sha256;
  const approved = task.state === 'approved';
  // What was approved and put into Approved/ here, and is not there any more, is not wanted any more.
  if (approved && path !== target && last?.path === target && !edited) {
    await voidApproval(agent, task, { reason: 'the note was taken out of Approved/' }, report);
  } else if (edited && (approved || last?.sha256 === wanted)) await takeEdit(agent, task, path, report);
  if (await placeNote(agent, task, path)) report.applied += 1;
}

const WHY_RESTORED =
  'work is ended by rejecting it ("employee reject", or a move to Rejected/), not by deleting it';

/** A person's edit: into the ledger where that is allowed; of an approved note it voids the approval. */
async function takeEdit(agent: Agent, task: TaskView, path: string, report: NotesReport): Promise<void> {
  const event = task.state === 'approved' ? 'voided' : 'edited';
  const bytes = await agent.files.read(path);
  if (!bytes || !task.note || !statesBefore(event).includes(task.state)) return;
  const why = withheldContent(bytes);
  if (why !== undefined) {
    report.explained.push(`${path}: ${why}; the edit stays on this machine`);
    if (event === 'voided')
      await voidApproval(agent, task, { reason: 'the note was changed after it was approved' }, report);
    return;
  }
  const note = { name: task.note.name, content: await store(agent, bytes, 'shared') };
  const details: { note: NoteRef; reason?: string } =
    event === 'voided' ? { note, reason: 'the note was changed after it was approved' } : { note };
  if (details.reason !== undefined)
    await voidApproval(agent, task, { ...details, reason: details.reason }, report);
  else if (await appendChange(agent, task, event, details)) report.pushed += 1;
  if (task.note.content.sha256 === note.content.sha256)
    agent.copy.setNoteAt(task.taskId, path, note.content.sha256);
}

async function voidApproval(
  agent: Agent,
  task: TaskView,
  details: { readonly reason: string; readonly note?: NoteRef },
  report: NotesReport,
): Promise<void> {
  if (!(await appendChange(agent, task, 'voided', details))) return;
  await agent.tasks.settle(task.taskId, 'voided', 'local');
  report.pushed += 1;
  report.explained.push(`${task.note?.name ?? ''}: ${details.reason}; approve it again if it is right`);
}

/** One note, one place: equal copies are dropped, different ones kept under `Conflicts/`. */
async function onePlace(
  agent: Agent,
  task: TaskView,
  paths: readonly string[],
  report: NotesReport,
): Promise<string | undefined> {
  const [first] = paths;
  if (paths.length < 2) return first;
  const places = [notePath(task), agent.copy.noteAt(task.taskId)?.path];
  const main = paths.find((path) => places.includes(path)) ?? first;
  const hash = main === undefined ? undefined : hashOf(await agent.files.read(main));
  for (const path of paths) {
    const bytes = path === main ? undefined : await agent.files.read(path);
    const other = hashOf(bytes);
    if (!bytes || other === undefined) continue;
    if (other !== hash && other !== task.note?.content.sha256) await keepBoth(agent, path, bytes);
    await agent.files.remove(path, other);
    report.explained.push(`${path} was removed: the note of that task stands in ${main ?? 'another folder'}`);
  }
  return main;
}

function notesByName(scan: Scan): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const path of scan.files.keys()) {
    if (!taskFolderOf(path)) continue;
    const name = foldName(path.split('/').at(-1) ?? path);
    found.set(name, [...(found.get(name) ?? []), path]);
  }
  return found;
}

function whyBack(task: TaskView): string {
  return task.state === 'pending_approval'
    ? 'it was edited and moved in one go, or its place is another; read it once more and move it again'
    : `the task is ${task.state}, and that folder is not where such a note stands`;
}

function hashOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes ? sha256Hex(bytes) : undefined;
}
