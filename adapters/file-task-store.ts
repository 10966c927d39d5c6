import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { TaskItemError } from '#protocol/errors.ts';
import { TaskId } from '#protocol/ids.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { createRuledTaskStore } from '#protocol/ruled-task-store.ts';
import { Task } from '#protocol/task.ts';
import { fsyncFolder } from './fsync-folder.ts';

/** What stands in a task's folder: `head.<version>.<mark>`, an empty file, and `item.<version>.<mark>`, its contents. */
const Name = /^(head|item)\.([1-9]\d{0,15})\.([0-9a-f-]{36})$/;
const MAKING = '.making-';
/** The task is there, or a folder on the way was removed: either way a look tells how to go on. */
const IN_THE_WAY = new Set([
  'ENOTEMPTY',
  'EEXIST',
  'ENOENT',
  ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : []),
]);
/** Reads of one folder before an item without contents counts as damaged, not as one that is being replaced. */
const MAX_LOOKS = 100;

interface Head {
  readonly version: number;
  readonly mark: string;
}

/**
 * A task store in a folder of a local file system, for any number of processes at once. No lock is ever
 * held, so none is left behind.
 *
 * The name of one file, the head, says which contents are in force. New contents are written beside the old
 * ones; then the head is renamed from the old name to the new, which is the commit. A name holds a random
 * mark and is never used again, so the rename of whoever comes second finds no source, however long that
 * process was paused, and nothing is ever replaced. A task's folder is made aside and moved into place whole.
 *
 * Durable when a call returns: contents, their name, and the new name of the head are flushed in this order.
 * At rest a task has two files; what a killed process left is removed with the next commit.
 */
export function createFileTaskStore(folder: string): TaskStore {
  return createRuledTaskStore({
    get: async (taskId) => (await read(folderOf(folder, taskId)))?.task,
    async decide(taskId, rule) {
      const place = folderOf(folder, taskId);
      for (;;) {
        const found = await read(place);
        const answer = rule(found?.task);
        if (!answer.won) return answer;
        const done = found ? await commit(place, found.head, answer.task) : await make(place, answer.task);
        if (done) return answer;
      }
    },
  });
}

/** Two levels, so that no folder grows large. Only an id is ever made a path. */
function folderOf(folder: string, taskId: string): string {
  const id = TaskId.parse(taskId);
  return path.join(folder, id.slice(1, 3), id);
}

async function read(place: string): Promise<{ readonly head: Head; readonly task: Task } | undefined> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const names = await readdir(place).catch(nothingIfMissing);
    if (!names) return undefined;
    // While the head is renamed, a listing may show both of its names, or none.
    const head = newestHead(names);
    const text =
      head && (await readFile(path.join(place, nameOf('item', head)), 'utf8').catch(nothingIfMissing));
    // Without contents it is the head of before: they were removed since the listing.
    if (head && text !== undefined) return { head, task: parse(place, text) };
  }
  throw damaged(place);
}

/** @returns whether these contents are in force now; not, when somebody else changed the task since it was read. */
async function commit(place: string, from: Head, task: Task): Promise<boolean> {
  const to = { version: task.version, mark: randomUUID() };
  const contents = path.join(place, nameOf('item', to));
  try {
    await writeDurably(contents, task);
    await fsyncFolder(place);
    await rename(path.join(place, nameOf('head', from)), path.join(place, nameOf('head', to)));
  } catch (error) {
    // A file system over the network may rename and then lose its own answer: that was a commit.
    const names = (await readdir(place).catch(() => undefined)) ?? [];
    if (!names.includes(nameOf('head', to))) {
      await rm(contents, { force: true });
      nothingIfMissing(error);
      return false;
    }
  }
  await fsyncFolder(place);
  await prune(place, to);
  return true;
}

/** Removes contents up to this version. Those of later ones may be in force by now, or about to be. */
async function prune(place: string, { version, mark }: Head): Promise<void> {
  for (const name of (await readdir(place).catch(nothingIfMissing)) ?? []) {
    const match = Name.exec(name);
    if (match?.[1] !== 'item' || Number(match[2]) > version || match[3] === mark) continue;
    await rm(path.join(place, name), { force: true });
  }
}

/** @returns whether the task is there as it was given; not, when somebody else was first or was in the way. */
async function make(place: string, task: Task): Promise<boolean> {
  const shard = path.dirname(place);
  const aside = path.join(shard, `${MAKING}${process.pid}-${randomUUID()}`);
  const head = { version: task.version, mark: randomUUID() };
  const isNewShard = (await mkdir(shard, { recursive: true, mode: 0o700 })) !== undefined;
  try {
    await mkdir(aside, { mode: 0o700 });
    await writeDurably(path.join(aside, nameOf('item', head)), task);
    await (await open(path.join(aside, nameOf('head', head)), 'wx', 0o600)).close();
    await fsyncFolder(aside);
    // A folder that holds anything is not replaced.
    await rename(aside, place);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (!IN_THE_WAY.has(codeOf(error))) throw error;
    return false;
  }
  await fsyncFolder(shard);
  if (isNewShard) await fsyncFolder(path.dirname(shard));
  await removeAbandoned(shard);
  return true;
}

/** Removes what processes that were killed left of their tries to make a task. */
async function removeAbandoned(shard: string): Promise<void> {
  for (const name of await readdir(shard)) {
    const pid = name.startsWith(MAKING) ? Number.parseInt(name.slice(MAKING.length), 10) : Number.NaN;
    // One that lives where its number means nothing finds its folder gone, and makes another.
    if (pid > 0 && !isAlive(pid)) await rm(path.join(shard, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

function newestHead(names: readonly string[]): Head | undefined {
  let newest: Head | undefined;
  for (const name of names) {
    const [, kind, version = '', mark = ''] = Name.exec(name) ?? [];
    if (kind === 'head' && Number(version) > (newest?.version ?? 0))
      newest = { version: Number(version), mark };
  }
  return newest;
}

function nameOf(kind: 'head' | 'item', { version, mark }: Head): string {
  return `${kind}.${version}.${mark}`;
}

async function writeDurably(file: string, task: Task): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(task));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parse(place: string, text: string): Task {
  try {
    return Task.parse(JSON.parse(text));
  } catch (cause) {
    throw damaged(place, { cause });
  }
}

function damaged(place: string, options?: ErrorOptions): TaskItemError {
  return new TaskItemError(
    `${place} holds no task that can be read; move it away, and it is made again`,
    options,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function nothingIfMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
  return undefined;
}
