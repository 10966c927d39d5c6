import type { LedgerBody } from '#protocol/ledger-body.ts';
import type { Zone } from '#protocol/task.ts';
import { foldName, TASK_FOLDERS } from '#protocol/vault-path.ts';
import { notePath, zoneOf } from '#protocol/vault-state.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { openBodies } from '../open-bodies.ts';
import type { VaultChange } from '../sync/vault-change.ts';

/** So many entries at once are looked at as the whole vault. */
const MAX_ENTRIES = 5_000;

/** Whose work a change is, for the commit that holds it. */
export interface Cause {
  readonly zone: Zone;
  readonly taskId?: string;
}

/** What the vault should hold at a path. */
export interface Wanted {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * The paths that the entries after `mark` and the changes of a sync may have touched, with the last one
 * to do so. Following the entries, and not only what the sync says it did, makes the history whole: what
 * an approval moved, what a run changed that died before its commit, what another process did.
 *
 * @returns `undefined` when so much happened that the whole vault is to be looked at.
 */
export function touchedPaths(
  agent: Agent,
  mark: number,
  changes: readonly VaultChange[],
): Map<string, Cause> | undefined {
  const { state } = agent.session;
  if (state.head.n - mark > MAX_ENTRIES) return undefined;
  const touched = new Map<string, Cause>();
  const touch = (path: string, cause: Cause): void => {
    touched.delete(path);
    touched.set(path, cause);
  };
  const open = openBodies(agent);
  for (const entry of agent.copy.entries(mark)) {
    const body = open(entry);
    const zone = zoneOf(state, entry.writer) ?? 'local';
    for (const path of body ? pathsOf(body) : []) touch(path, { zone });
    for (const taskId of taskIdsOf(body, entry.taskId)) {
      const task = state.tasks.get(taskId);
      for (const path of task ? placesOf(state, task) : []) touch(path, { zone, taskId });
    }
  }
  for (const { path, from, zone, taskId } of changes) {
    const cause = { zone, ...(taskId === undefined ? {} : { taskId }) };
    for (const at of from === undefined ? [path] : [from, path]) touch(at, cause);
  }
  return touched;
}

/** Every path at which the ledger, or this machine's own briefings, have a file. */
export function allPaths(agent: Agent): Map<string, Cause> {
  const { state } = agent.session;
  const all = new Map<string, Cause>();
  for (const path of state.files.keys()) all.set(path, { zone: 'local' });
  for (const task of state.tasks.values()) {
    const path = notePath(task);
    if (path !== undefined) all.set(path, { zone: 'local', taskId: task.taskId });
    for (const page of pagesOf(task)) all.set(page, { zone: 'local' });
  }
  return all;
}

/** What belongs at a path of the vault, or `undefined` where nothing does that is synced. */
export function wantedAt(agent: Agent, path: string): Wanted | undefined {
  const { state } = agent.session;
  const file = state.files.get(path);
  if (file) return file.content;
  const task = state.tasks.get(state.noteNames.get(foldName(path.split('/').at(-1) ?? '')) ?? '');
  if (task?.note && notePath(task) === path) return task.note.content;
  const page = path.startsWith('Briefings/') ? agent.copy.fact(path) : undefined;
  return page === undefined ? undefined : { sha256: page, sizeBytes: 0 };
}

function pathsOf(body: LedgerBody): string[] {
  if (body.kind === 'conflict') return [body.path, body.copy];
  if (body.kind !== 'files') return [];
  return body.changes.flatMap((change) => (change.op === 'move' ? [change.path, change.to] : [change.path]));
}

function taskIdsOf(body: LedgerBody | undefined, taskId: string | undefined): string[] {
  if (body?.kind === 'task') return body.changes.map((change) => change.taskId);
  return taskId === undefined ? [] : [taskId];
}

/** Wherever the note of a task may stand or have stood, where it stands now last. */
function placesOf(state: VaultState, task: TaskView): string[] {
  const now = notePath(task);
  if (!task.note || now === undefined) return pagesOf(task);
  const { name } = task.note;
  const owners = new Set(['cloud', ...(state.keys?.writers.map(({ writer }) => writer) ?? [])]);
  const folders = [
    ...TASK_FOLDERS.filter((folder) => folder !== 'In_Progress'),
    ...[...owners].map((owner) => `In_Progress/${owner}`),
  ];
  return [
    ...folders.map((folder) => `${folder}/${name}`).filter((path) => path !== now),
    ...pagesOf(task),
    now,
  ];
}

/** The briefings that tell of a task. */
function pagesOf(task: TaskView): string[] {
  const days = new Set([task.createdAt.slice(0, 10), task.updatedAt.slice(0, 10)]);
  return [...days].map((day) => `Briefings/${day}.md`);
}
