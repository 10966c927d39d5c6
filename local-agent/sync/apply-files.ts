import { sha256Hex } from '#protocol/canonical.ts';
import { VAULT_FOLDERS } from '#protocol/vault-path.ts';
import { withheldContent } from '#protocol/withheld.ts';
import { loadAll } from '../contents.ts';
import { agreedOn } from './plan-differences.ts';
import type { DiskStep } from './file-steps.ts';
import type { FilesRun } from './files-run.ts';
import { isOfOnePath } from './one-path.ts';

type WriteStep = Extract<DiskStep, { do: 'write' }>;

const WRITES_IN_FLIGHT = 8;

/**
 * Takes the steps towards the vault. Each checks what it replaces; what somebody changed meanwhile stays as
 * it is, and the next sync looks at it afresh.
 */
export async function applyFiles(run: FilesRun, steps: readonly DiskStep[]): Promise<void> {
  const writes: WriteStep[] = [];
  const left = new Set<string>();
  let done = 0;
  const step = (path: string): void =>
    run.agent.progress?.({ stage: 'apply', done: done++, total: steps.length, path });
  try {
    for (const each of steps) {
      if (each.do === 'write') writes.push(each);
      else if (each.do === 'tidy') await tidy(run, left);
      else {
        step(each.path);
        if (await orLater(run, each.path, () => leave(run, each))) left.add(folderOf(each.path));
      }
    }
    await applyWrites(run, writes, step);
  } finally {
    run.settle();
  }
}

async function leave(run: FilesRun, step: Extract<DiskStep, { do: 'remove' | 'move' }>): Promise<boolean> {
  const { files } = run.agent;
  const { path, expected } = step;
  if (step.do === 'remove') {
    if ((await files.remove(path, expected)) === 'changed' && (await files.read(path)) !== undefined)
      return false;
    run.setDisk(path, undefined);
    run.agree(path, undefined);
    if (step.gone) note(run, { direction: 'in', op: 'delete', path, zone: 'local' });
    return true;
  }
  const { to, file } = step;
  if ((await files.move(path, to, expected)) === 'changed') return false;
  const before = run.agent.copy.allAgreed().get(path);
  run.setDisk(path, undefined);
  run.setDisk(to, expected);
  run.agree(path, undefined);
  const arrived =
    expected === file.content.sha256 ? agreedOn(file) : { sha256: expected, id: file.id, n: before?.n ?? 0 };
  run.agree(to, before?.fileId === undefined ? arrived : { ...arrived, fileId: before.fileId });
  note(run, { direction: 'in', op: 'move', path: to, from: path, zone: run.zoneOf(to, file) });
  return true;
}

async function applyWrites(
  run: FilesRun,
  steps: readonly WriteStep[],
  step: (path: string) => void,
): Promise<void> {
  const wanted = steps.map(({ file: { content, ring } }) => ({ content, ring }));
  const flying = new Set<Promise<unknown>>();
  const failures: unknown[] = [];
  let arrived = 0;
  for await (const loaded of loadAll(run.agent, wanted)) {
    const write = steps[loaded.index];
    if (!write) continue;
    run.agent.progress?.({ stage: 'download', done: ++arrived, total: steps.length, path: write.path });
    if (loaded.error) {
      run.report.explained.add(`${write.path} could not be brought here: ${loaded.error.message}`);
      run.unsure.add(write.path);
      continue;
    }
    step(write.path);
    const flight = orLater(run, write.path, () => put(run, write, loaded.bytes))
      .catch((error: unknown) => failures.push(error))
      .finally(() => flying.delete(flight));
    flying.add(flight);
    if (flying.size >= WRITES_IN_FLIGHT) await Promise.race(flying);
    // Nothing more is begun, and what is under way ends before the error goes out.
    if (failures.length > 0) break;
  }
  await Promise.all(flying);
  if (failures.length > 0) throw failures[0];
}

async function put(run: FilesRun, { path, expected, file }: WriteStep, bytes: Uint8Array): Promise<boolean> {
  const why = withheldContent(bytes);
  if (why !== undefined) {
    refuse(run, path, file.content.sha256, why);
    return false;
  }
  const { files } = run.agent;
  let outcome = await files.write(path, bytes, expected);
  if (outcome === 'changed' && (await removeEmptyFolders(run, path)))
    outcome = await files.write(path, bytes, null);
  if (outcome === 'changed') {
    const there = await files.read(path);
    if (!there || sha256Hex(there) !== file.content.sha256) return false;
  }
  run.setDisk(path, file.content.sha256);
  // Known by what the system knows it by, a later rename of it with an edit is one.
  const stat = await files.stat(path);
  run.agree(path, agreedOn(file, stat?.kind === 'file' ? stat.fileId : ''));
  note(run, { direction: 'in', op: 'put', path, zone: run.zoneOf(path, file) });
  return true;
}

/** A folder without a file in it is in nobody's way. @returns whether one was there and is gone. */
async function removeEmptyFolders({ agent: { files } }: FilesRun, path: string): Promise<boolean> {
  if ((await files.stat(path))?.kind !== 'folder') return false;
  const below = (await files.list()).filter((stat) => stat.path.startsWith(`${path}/`));
  if (below.some(({ kind }) => kind !== 'folder')) return false;
  for (const folder of below.map((stat) => stat.path).sort((a, b) => b.length - a.length)) {
    await files.removeFolder(folder);
  }
  return files.removeFolder(path);
}

const refused = new WeakMap<object, Map<string, string>>();

/** Why contents of the ledger do not come to this machine's vault, as far as this process has seen them. */
export function refusedContents({ agent }: FilesRun): Map<string, string> {
  const known = refused.get(agent.copy) ?? new Map<string, string>();
  refused.set(agent.copy, known);
  return known;
}

function refuse(run: FilesRun, path: string, sha256: string, why: string): void {
  const words = `it came from elsewhere, and ${why}`;
  refusedContents(run).set(sha256, words);
  run.scan.withhold(path, words);
}

function note(run: FilesRun, change: FilesRun['report']['changes'][number]): void {
  run.report.applied += 1;
  run.report.changes.push(change);
}

/** What one path refuses must not keep the others; what all of them would refuse ends the sync. */
async function orLater(run: FilesRun, path: string, work: () => Promise<boolean>): Promise<boolean> {
  try {
    if (await work()) return true;
  } catch (error) {
    if (!isOfOnePath(error)) throw error;
    run.report.explained.add(error.message);
  }
  run.unsure.add(path);
  return false;
}

/** Removes the folders that this sync emptied, from the inside out. */
async function tidy(run: FilesRun, folders: ReadonlySet<string>): Promise<void> {
  const inmost = [...folders].sort((a, b) => b.split('/').length - a.split('/').length);
  const kept = new Set<string>(['', ...VAULT_FOLDERS]);
  for (let folder of inmost) {
    while (!kept.has(folder)) {
      kept.add(folder);
      if (!(await isRemoved(run, folder))) break;
      folder = folderOf(folder);
    }
  }
}

/** An empty folder that cannot go is in nobody's way. */
async function isRemoved({ agent }: FilesRun, folder: string): Promise<boolean> {
  try {
    return await agent.files.removeFolder(folder);
  } catch (error) {
    if (!isOfOnePath(error)) throw error;
    return false;
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
