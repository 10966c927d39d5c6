import { sha256Hex } from '#protocol/canonical.ts';
import { foldName, notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { load } from '../contents.ts';
import type { PlacedNote } from '../copy-tables.ts';
import { sayTheSame } from './note-text.ts';
import type { NotesReport } from './notes-report.ts';
import type { Scan } from './scan.ts';
import { setAside } from './take-edit.ts';

/**
 * One task, one note: of several files the one that stands where it should is the note; equal ones are
 * dropped, different ones kept under `Conflicts/`.
 *
 * @returns the path of the note.
 */
export async function onePlace(
  agent: Agent,
  task: TaskView,
  paths: readonly string[],
  scan: Scan,
  report: NotesReport,
): Promise<string | undefined> {
  const last = agent.copy.noteAt(task.taskId);
  const main = mainOf(task, paths, scan, last);
  if (main === undefined || paths.length < 2) return main;
  const known = new Set([task.note?.content.sha256, last?.sha256, scan.files.get(main)]);
  for (const path of paths) {
    const bytes = path === main ? undefined : await agent.files.read(path);
    const hash = bytes && sha256Hex(bytes);
    // Changing at this moment: the next sync looks at it afresh.
    if (!bytes || hash === undefined || hash !== scan.files.get(path)) continue;
    const isSpare = known.has(hash) || (await saysTheSame(agent, task, bytes));
    if (!isSpare) await setAside(agent, task, { path, bytes }, 'twin', report);
    if ((await agent.files.remove(path, hash)) === 'changed') continue;
    report.applied += 1;
    report.explained.push(`${path} was removed: the note of that task stands in ${main}`);
  }
  return main;
}

async function saysTheSame(agent: Agent, task: TaskView, bytes: Uint8Array): Promise<boolean> {
  return task.note !== undefined && sayTheSame(bytes, await load(agent, task.note.content, 'shared'));
}

/** Rather the one this machine put there, then one with the ledger's bytes, then one that only looks right. */
function mainOf(
  task: TaskView,
  paths: readonly string[],
  scan: Scan,
  last: PlacedNote | undefined,
): string | undefined {
  const name = foldName(task.note?.name ?? '');
  const rank = (path: string): number => {
    if (path === last?.path) return 0;
    const hash = scan.files.get(path);
    if (hash === task.note?.content.sha256 || hash === last?.sha256) return 1;
    if (path === notePath(task)) return 2;
    return foldName(path.split('/').at(-1) ?? path) === name ? 3 : 4;
  };
  return [...paths].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))[0];
}
