import { sha256Hex } from '#protocol/canonical.ts';
import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';
import { foldName } from '#protocol/vault-path.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import { accepted } from '../append-change.ts';
import { store } from '../contents.ts';
import { shortened } from './copy-name.ts';
import { inWords } from './explain-note.ts';
import { explained } from './note-text.ts';
import { quarantined } from './note-words.ts';
import type { NotesReport } from './notes-report.ts';
import { placeNote } from './place-note.ts';
import type { Scan } from './scan.ts';

/**
 * Deals with files in the folders of tasks that are no task's note. A note is quarantined: it becomes a
 * task of its own in `Needs_Attention/`, which nothing ever runs and the person can reject. In
 * `Needs_Action/`, where a person may leave work, and where it is no note, it stays and is named.
 */
export async function dealWithStrays(
  agent: Agent,
  paths: readonly string[],
  scan: Scan,
  report: NotesReport,
): Promise<void> {
  for (const path of paths) {
    const why = await whyItStays(agent, path);
    if (why !== undefined) {
      report.strays.push({ path, why });
      continue;
    }
    try {
      await quarantine(agent, path, scan.files.get(path), report);
    } catch (error) {
      if (!(error instanceof EmployeeError) || error instanceof LedgerIntegrityError) throw error;
      report.explained.push(`${path} belongs to no task and could not be quarantined: ${error.message}`);
    }
  }
}

async function whyItStays(agent: Agent, path: string): Promise<string | undefined> {
  if (!path.endsWith('.md'))
    return 'it is no note, and a folder of tasks holds notes alone; it is not backed up';
  if (taskFolderOf(path) === 'Needs_Action')
    return 'work written by hand is not taken up yet; it is not backed up';
  const bytes = await agent.files.read(path);
  return bytes && withheldContent(bytes);
}

async function quarantine(
  agent: Agent,
  path: string,
  hash: string | undefined,
  report: NotesReport,
): Promise<void> {
  const bytes = await agent.files.read(path);
  if (!bytes || hash === undefined || sha256Hex(bytes) !== hash) return;
  const taskId = `t${sha256Hex(`stray:${agent.config.vaultId}:${path}:${hash}`).slice(0, 20)}`;
  const why = quarantined(path);
  // What the person wrote stands in the ledger as it was written, beside what the note says more.
  const written = await store(agent, bytes, 'shared');
  const content = await store(agent, explained(bytes, why), 'shared');
  // The item comes first: a task of the ledger that has none would look like a lost one.
  await agent.tasks.begin(taskId);
  await agent.tasks.settle(taskId, 'quarantined', 'local');
  const outcome = await agent.session.append((state) => {
    const name = freeName(state.noteNames, path, taskId);
    if (state.tasks.has(taskId) || name === undefined) return undefined;
    const change = {
      taskId,
      epoch: 0,
      event: 'created',
      state: 'quarantined',
      home: 'local',
      reason: inWords(why),
      note: { name, content: written },
    } as const;
    const words = { taskId, epoch: 0, event: 'edited', note: { name, content } } as const;
    const changes = content.sha256 === written.sha256 ? [change] : [change, words];
    return { taskId, epoch: 0, body: { kind: 'task', changes } };
  });
  const task = agent.session.state.tasks.get(taskId);
  if (!task || !outcome.appended || !accepted(agent.session.state, outcome.entry.n)) return;
  report.pushed += 1;
  report.explained.push(`${path}: ${inWords(why)}`);
  if (await placeNote(agent, task, path, report.changes)) report.applied += 1;
}

/** Its own name, or, where that was some other task's, one with its id. */
function freeName(taken: ReadonlyMap<string, string>, path: string, taskId: string): string | undefined {
  const name = path.split('/').at(-1) ?? path;
  const other = `${shortened(name.replace(/\.md$/, ''))} (${taskId.slice(0, 8)}).md`;
  return [name, other].find((wanted) => !taken.has(foldName(wanted)));
}
