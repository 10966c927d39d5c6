import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import type { PlacedNote } from '../copy-tables.ts';
import { explainNote, explainWaiting } from './explain-note.ts';
import { findNotes } from './find-notes.ts';
import { putBack, restored } from './note-words.ts';
import type { NotesReport } from './notes-report.ts';
import { placeNewNotes } from './place-new-notes.ts';
import type { NewNote } from './place-new-notes.ts';
import { placeNote } from './place-note.ts';
import type { Scan } from './scan.ts';
import { onePlace } from './spare-notes.ts';
import { dealWithStrays } from './stray-notes.ts';
import { takeEdit, voidApproval } from './take-edit.ts';
import type { FoundNote } from './take-edit.ts';
import { wishOf } from './wishes.ts';

/** When more notes than this are out of place at once, they do not say so themselves, each by an entry of its own. */
const MAX_WITH_WORDS = 20;

/**
 * Brings the notes of all tasks and the ledger together: takes a person's edits into the ledger, reads
 * moves on this machine as wishes, and puts everything else where the ledger says. A note that stands
 * as the ledger says costs nothing but a look into a table.
 */
export async function syncNotes(agent: Agent, scan: Scan): Promise<NotesReport> {
  const report: NotesReport = {
    applied: 0,
    pushed: 0,
    wishes: [],
    explained: [],
    conflicts: [],
    strays: [],
    changes: [],
  };
  const notes = await findNotes(agent, scan);
  const placed = agent.copy.allNotes();
  const settled: TaskView[] = [];
  const open: TaskView[] = [];
  let displaced = 0;
  for (const task of agent.session.state.tasks.values()) {
    if (notePath(task) === undefined) continue;
    const paths = notes.byTask.get(task.taskId) ?? [];
    const stands = paths.length === 1 && isSettled(task, paths[0], scan);
    if (!stands) open.push(task);
    else if (!isRecorded(task, placed.get(task.taskId), scan)) settled.push(task);
    if (isDisplaced(task, paths, placed.get(task.taskId))) displaced += 1;
  }
  const isNew = (task: TaskView): boolean => !notes.byTask.has(task.taskId) && !placed.has(task.taskId);
  const fresh = await placeNewNotes(agent, open.filter(isNew), report);
  record(agent, [...fresh, ...(await identified(agent, settled))]);
  const done = new Set(fresh.map(({ task }) => task));
  for (const task of open) {
    // Where a link or something too large stands in its place, it is named as withheld, and left alone.
    const places = [notePath(task), placed.get(task.taskId)?.path];
    if (done.has(task) || places.some((path) => path && scan.isWithheld(path))) continue;
    const paths = notes.byTask.get(task.taskId) ?? [];
    await oneNote(task, report, async () => {
      const path = await onePlace(agent, task, paths, scan, report);
      const hash = path === undefined ? undefined : scan.files.get(path);
      const found = path === undefined || hash === undefined ? undefined : { path, hash };
      await syncNote(agent, task, found, { report, quiet: displaced > MAX_WITH_WORDS });
    });
  }
  await dealWithStrays(agent, notes.strays, scan, report);
  for (const task of await explainWaiting(agent)) {
    report.pushed += 1;
    await oneNote(task, report, async () => {
      if (await placeNote(agent, task, undefined, report.changes)) report.applied += 1;
    });
  }
  return report;
}

/** One note that cannot be placed (altered contents, a link in its way) must not keep the others. */
async function oneNote(task: TaskView, report: NotesReport, work: () => Promise<void>): Promise<void> {
  const before = report.pushed;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof EmployeeError) || error instanceof LedgerIntegrityError) throw error;
    report.explained.push(`${task.note?.name ?? ''} could not be brought in step: ${error.message}`);
  }
  if (report.pushed > before) {
    const path = notePath(task) ?? '';
    report.changes.push({ direction: 'out', op: 'put', path, zone: 'local', taskId: task.taskId });
  }
}

async function syncNote(
  agent: Agent,
  task: TaskView,
  found: FoundNote | undefined,
  { report, quiet }: { readonly report: NotesReport; readonly quiet: boolean },
): Promise<void> {
  const target = notePath(task) ?? '';
  const wanted = task.note?.content.sha256;
  const last = agent.copy.noteAt(task.taskId);
  // Another path than the one this machine put it to; while that is on its way nobody can tell.
  const isMoved = found !== undefined && found.path !== target && !!last?.path && found.path !== last.path;
  const isMissing = !found && !!last?.path;
  const isEdited = found !== undefined && found.hash !== wanted && found.hash !== last?.sha256;
  let explanation = isMissing ? restored() : undefined;
  if (isMoved) {
    const wish = await wishOf(agent, task, found);
    if (typeof wish !== 'string') {
      if (isEdited && (await takeEdit(agent, task, found, undefined, report)) === 'left') return;
      report.wishes.push(wish);
      return;
    }
    explanation = putBack(task, found.path, wish);
  }
  // What was approved and put into Approved/ here, and is not there any more, is not wanted any more.
  const isWithdrawn = task.state === 'approved' && found?.path !== target && last?.path === target;
  if (explanation) {
    const what = isMissing
      ? `${last?.path ?? target} was missing and is back`
      : `${found?.path ?? ''} was put back`;
    report.explained.push(`${what} to ${target}: ${explanation.why}`);
  }
  if (isEdited) {
    if ((await takeEdit(agent, task, found, explanation, report)) === 'left') return;
  } else if (isWithdrawn) {
    await voidApproval(agent, task, 'the note was taken out of Approved/', report);
  } else if (explanation && !quiet && task.state !== 'approved') {
    if (await explainNote(agent, task, explanation)) report.pushed += 1;
  }
  if (await placeNote(agent, task, found?.path, report.changes)) report.applied += 1;
}

function isSettled(task: TaskView, path: string | undefined, scan: Scan): boolean {
  return path === notePath(task) && scan.files.get(path ?? '') === task.note?.content.sha256;
}

function isDisplaced(task: TaskView, paths: readonly string[], last: PlacedNote | undefined): boolean {
  return !!last?.path && !paths.some((path) => path === last.path || path === notePath(task));
}

function isRecorded(task: TaskView, last: PlacedNote | undefined, scan: Scan): boolean {
  const path = notePath(task) ?? '';
  // Saved anew with the same bytes, it is another file.
  const fileId = scan.stats.get(path)?.fileId ?? last?.fileId;
  return last?.path === path && last.sha256 === task.note?.content.sha256 && last.fileId === fileId;
}

/** Notes that somebody else put where they stand, or that were saved anew. */
async function identified(agent: Agent, tasks: readonly TaskView[]): Promise<NewNote[]> {
  const found: NewNote[] = [];
  for (const task of tasks) {
    const path = notePath(task) ?? '';
    const fileId = (await agent.files.stat(path))?.fileId ?? '';
    found.push({ task, path, sha256: task.note?.content.sha256 ?? '', n: task.noteN ?? 0, fileId });
  }
  return found;
}

function record(agent: Agent, notes: readonly NewNote[]): void {
  if (notes.length === 0) return;
  agent.copy.together(() => {
    for (const { task, path, sha256, n, fileId } of notes) {
      agent.copy.setNoteAt(task.taskId, path, sha256, n, fileId);
    }
  });
}
