import { sha256Hex } from '#protocol/canonical.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import { splitFrontMatter } from '#protocol/front-matter.ts';
import { TaskId } from '#protocol/ids.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { foldName, notePath } from '#protocol/vault-state.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import type { LedgerCopy } from '../ledger-copy.ts';
import { noteText } from './note-text.ts';
import type { Scan } from './scan.ts';

/** The files of the task folders by the task whose note they are, and those of no task. */
export interface FoundNotes {
  readonly byTask: ReadonlyMap<string, readonly string[]>;
  readonly strays: readonly string[];
}

const MAX_REMEMBERED = 10_000;
const remembered = new WeakMap<LedgerCopy, Map<string, string | undefined>>();

/**
 * Says whose note each file of the task folders is: by its name, which a note keeps for life, and where
 * the name is no note's or the file says that it is another's, by `task:` in its front matter. Notes that
 * stand as the ledger says are not read.
 */
export async function findNotes(agent: Agent, scan: Scan): Promise<FoundNotes> {
  const { state } = agent.session;
  const byTask = new Map<string, string[]>();
  const settled = settledPaths(state, scan);
  for (const [path, taskId] of settled) byTask.set(taskId, [path]);
  const strays: string[] = [];
  const doubtful: { readonly path: string; readonly named: string; readonly said: string }[] = [];
  const give = (taskId: string, path: string): void => {
    const known = byTask.get(taskId);
    if (known) known.push(path);
    else byTask.set(taskId, [path]);
  };
  for (const [path, hash] of scan.files) {
    if (settled.has(path) || !taskFolderOf(path)) continue;
    const name = path.split('/').at(-1) ?? path;
    const named = withNote(state, state.noteNames.get(foldName(name)));
    const said = /\.md$/i.test(name) ? withNote(state, await saidTask(agent, path, hash)) : undefined;
    if (named !== undefined && said !== undefined && said !== named) doubtful.push({ path, named, said });
    else if (named !== undefined || said !== undefined) give(named ?? said ?? '', path);
    else strays.push(path);
  }
  // It bears one task's name and another's id: that other's, unless that one has its note anyhow.
  for (const { path, named, said } of doubtful) give(byTask.has(said) ? named : said, path);
  return { byTask, strays };
}

function settledPaths(state: VaultState, scan: Scan): Map<string, string> {
  const settled = new Map<string, string>();
  for (const task of state.tasks.values()) {
    const target = notePath(task);
    if (target !== undefined && scan.files.get(target) === task.note?.content.sha256) {
      settled.set(target, task.taskId);
    }
  }
  return settled;
}

/** The task, if it is one whose note has a place in the vault. */
function withNote(state: VaultState, taskId: string | undefined): string | undefined {
  const task = taskId === undefined ? undefined : state.tasks.get(taskId);
  return task && notePath(task) !== undefined ? taskId : undefined;
}

async function saidTask(agent: Agent, path: string, hash: string): Promise<string | undefined> {
  const known = remembered.get(agent.copy) ?? new Map<string, string | undefined>();
  remembered.set(agent.copy, known);
  if (known.has(hash)) return known.get(hash);
  const bytes = await agent.files.read(path);
  // Moved or changed since the scan: what stands there then says nothing of these bytes.
  if (!bytes || sha256Hex(bytes) !== hash) return undefined;
  const text = noteText(bytes);
  const taskId = text === undefined ? undefined : taskIn(text);
  if (known.size >= MAX_REMEMBERED) known.clear();
  known.set(hash, taskId);
  return taskId;
}

function taskIn(text: string): string | undefined {
  try {
    return TaskId.safeParse(splitFrontMatter(text).front['task']).data;
  } catch (error) {
    if (!(error instanceof NoteFormatError)) throw error;
  }
  // A front matter that was cut short or mistyped still says whose it is.
  const [first, ...lines] = text.replace(/^\ufeff/, '').split(/\r\n?|\n/, 50);
  const end = lines.indexOf('---');
  const line = lines.slice(0, end < 0 ? lines.length : end).find((found) => found.startsWith('task:'));
  return first === '---' ? TaskId.safeParse(line?.slice('task:'.length).trim()).data : undefined;
}
