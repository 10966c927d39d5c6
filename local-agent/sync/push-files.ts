import { storeAll } from '../contents.ts';
import { ChangeAppender, groupMoves } from './append-changes.ts';
import type { CarryStep, ConflictStep, UploadStep } from './file-steps.ts';
import type { FilesRun } from './files-run.ts';
import { keepConflict } from './keep-conflict.ts';
import { cargoOf, itemsOf, jobOf, readOurs } from './make-changes.ts';
import type { Cargo, Job } from './make-changes.ts';
import { isOfOnePath } from './one-path.ts';
import { ringOf } from '#protocol/vault-path.ts';

/** So many bytes are read, stored and let go of before the next; a pack has 8 MB. */
const SLICE_BYTES = 16 * 1024 * 1024;

/**
 * Takes the steps towards the ledger: conflicts first, so that both versions are safe, then deletions, moves
 * and contents, in few entries. Contents are stored before an entry names them.
 */
export async function pushFiles(run: FilesRun, steps: readonly UploadStep[]): Promise<void> {
  const appender = new ChangeAppender(run);
  const carries: CarryStep[] = [];
  for (const step of steps) {
    if (step.do === 'conflict') await orLeave(run, step.disk, () => pushConflict(run, step));
    else if (step.do === 'carry') carries.push(step);
    else {
      const { path, file } = step.at;
      const change = { op: 'delete', path, base: file.content.sha256 } as const;
      await appender.add([{ step: { do: 'delete', known: path }, ring: ringOf(path), change }]);
    }
  }
  let cargo: Cargo[] = [];
  let sizeBytes = 0;
  for (const [index, step] of carries.entries()) {
    const path = step.disk ?? step.to;
    run.agent.progress?.({ stage: 'upload', done: index, total: carries.length, path });
    const next = await orLeave(run, step.disk ?? step.at?.path ?? path, () => cargoOf(run, step));
    if (!next) continue;
    if ('conflict' in next) {
      await settleConflict(run, next.step, next.conflict, appender);
      continue;
    }
    cargo.push(next);
    sizeBytes += (next.content?.byteLength ?? 0) + (next.merged?.byteLength ?? 0);
    if (sizeBytes < SLICE_BYTES) continue;
    await storeAndAdd(run, cargo, appender);
    [cargo, sizeBytes] = [[], 0];
  }
  await storeAndAdd(run, cargo, appender);
  await appender.end();
  run.settle();
}

/** What cannot be read here, or loaded, stays as it is until the next sync, and the others go up. */
async function orLeave<T>(run: FilesRun, path: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isOfOnePath(error)) throw error;
    run.left.add(path);
    run.report.explained.add(`${path} stays as it is on this machine for now: ${error.message}`);
    return undefined;
  }
}

async function storeAndAdd(run: FilesRun, cargo: readonly Cargo[], appender: ChangeAppender): Promise<void> {
  const items = cargo.flatMap((each) => [...itemsOf(each)]);
  const refs = (items.length === 0 ? [] : await storeAll(run.agent, items))[Symbol.iterator]();
  const jobs: Job[] = cargo.flatMap((each) => jobOf(each, refs) ?? []);
  const moves = jobs.filter(({ change }) => change.op === 'move');
  for (const group of groupMoves(moves)) await appender.add(group);
  for (const job of jobs) if (job.change.op !== 'move') await appender.add([job]);
}

async function pushConflict(run: FilesRun, { disk, ours, theirs }: ConflictStep): Promise<void> {
  const bytes = await readOurs(run, disk, ours);
  if (!bytes) return;
  await keep(run, { disk, path: disk, ours, id: theirs?.id ?? '', theirs: theirs?.content.sha256 }, bytes);
}

/** Both changed the same: ours is kept, and the ledger's comes to its place with the next plan. */
async function settleConflict(
  run: FilesRun,
  step: CarryStep,
  bytes: Uint8Array,
  appender: ChangeAppender,
): Promise<void> {
  const { disk, ours, at, to, known } = step;
  if (disk === undefined || ours === undefined || !at) return;
  if (known !== disk && !run.agent.copy.allAgreed().has(disk)) {
    // Only the file system took the two for one file. They are kept as two.
    run.apart.add(disk);
    return;
  }
  const { id, content } = at.file;
  if (!(await keep(run, { disk, path: to, ours, id, theirs: content.sha256 }, bytes))) return;
  if (to === at.path || ringOf(to) !== ringOf(at.path)) return;
  const change = { op: 'move', path: at.path, to, base: content.sha256 } as const;
  await appender.add([{ step: { do: 'delete' }, ring: ringOf(to), change }]);
}

interface Kept {
  readonly disk: string;
  readonly path: string;
  readonly ours: string;
  readonly id: string;
  readonly theirs: string | undefined;
}

async function keep(
  run: FilesRun,
  { disk, path, ours, id, theirs }: Kept,
  bytes: Uint8Array,
): Promise<boolean> {
  const version = { path, bytes, sha256: ours, ...(theirs === undefined ? {} : { theirs }) };
  const kept = await keepConflict(run.agent, version);
  if (!kept) {
    run.left.add(disk);
    run.report.explained.add(`${disk}: both versions could not be kept, nothing was changed; sync again`);
    return false;
  }
  run.agent.log(`${path} was changed here and elsewhere; your version is kept as ${kept.copy}`);
  run.report.conflicts.push(kept.copy);
  run.report.pushed += 1;
  run.report.changes.push({ direction: 'out', op: 'put', path: kept.copy, zone: 'local' });
  run.agree(disk, { sha256: ours, id, n: kept.n });
  run.settle();
  return true;
}
