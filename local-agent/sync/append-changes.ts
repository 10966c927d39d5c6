import { refusalsOf } from '#protocol/replay-files.ts';
import type { FileChange } from '#protocol/ledger-body.ts';
import type { Ring } from '#protocol/seal.ts';
import { foldName } from '#protocol/vault-path.ts';
import type { AgreedFile } from '../copy-tables.ts';
import type { FilesRun } from './files-run.ts';
import type { Job } from './make-changes.ts';

/** The limit of a `files` body. */
const MAX_CHANGES = 1000;
/** As plain JSON; sealed and in base64 this stays below 390 KB, and an item of DynamoDB may have 400 KB. */
const MAX_ENTRY_BYTES = 270_000;

/** Appends changes, as few entries as their size allows, each sealed for the zones that may read it. */
export class ChangeAppender {
  readonly #run: FilesRun;
  readonly #waiting: Record<Ring, { jobs: Job[]; sizeBytes: number }> = {
    shared: { jobs: [], sizeBytes: 0 },
    private: { jobs: [], sizeBytes: 0 },
  };
  /** What is to leave a ring now that it stands in the other one. */
  readonly #after: Job[] = [];

  constructor(run: FilesRun) {
    this.#run = run;
  }

  /** @param jobs what belongs together: files that change places are never parted. */
  async add(jobs: readonly Job[]): Promise<void> {
    const [first] = jobs;
    if (!first) return;
    const { ring } = first;
    const sizeBytes = jobs.reduce((sum, { change }) => sum + entryBytes(change), 0);
    const before = this.#waiting[ring];
    const isFull =
      before.jobs.length + jobs.length > MAX_CHANGES || before.sizeBytes + sizeBytes > MAX_ENTRY_BYTES;
    if (isFull) await this.#flush(ring);
    const waiting = this.#waiting[ring];
    waiting.jobs.push(...jobs);
    waiting.sizeBytes += sizeBytes;
  }

  /** Appends what waits, and what follows from it. */
  async end(): Promise<void> {
    await this.#flush('private');
    await this.#flush('shared');
    for (const job of this.#after.splice(0)) await this.add([job]);
    await this.#flush('private');
    await this.#flush('shared');
  }

  async #flush(ring: Ring): Promise<void> {
    const { jobs } = this.#waiting[ring];
    this.#waiting[ring] = { jobs: [], sizeBytes: 0 };
    for (const slice of slicesOf(jobs)) this.#after.push(...(await appendJobs(this.#run, ring, slice)));
  }
}

/** A chain of moves may be longer than an entry: its end comes first, so it can be cut anywhere. */
function* slicesOf(jobs: readonly Job[]): Generator<Job[]> {
  let slice: Job[] = [];
  let sizeBytes = 0;
  for (const job of jobs) {
    const jobBytes = entryBytes(job.change);
    if (slice.length >= MAX_CHANGES || (slice.length > 0 && sizeBytes + jobBytes > MAX_ENTRY_BYTES)) {
      yield slice;
      [slice, sizeBytes] = [[], 0];
    }
    slice.push(job);
    sizeBytes += jobBytes;
  }
  if (slice.length > 0) yield slice;
}

/** @returns what is to be done after it. */
async function appendJobs(run: FilesRun, ring: Ring, jobs: readonly Job[]): Promise<Job[]> {
  let current: readonly Job[] = [];
  const outcome = await run.agent.session.append(({ files }) => {
    // What others changed meanwhile is planned afresh.
    const whys = refusalsOf(files, ring, changesOf(jobs), 'local');
    current = jobs.filter((_job, index) => !whys[index]);
    return current.length === 0 ? undefined : { ring, body: { kind: 'files', changes: changesOf(current) } };
  });
  if (!outcome.appended) return [];
  const { n } = outcome.entry;
  noteJobs(run, current, n);
  return current.flatMap(({ step, after }) =>
    after
      ? [{ step: { do: 'delete', ...knownOf(step) }, ring: otherThan(ring), change: after } as const]
      : [],
  );
}

/** What is on the disk is in the ledger now: as it was agreed on before, or with this entry. */
function noteJobs(run: FilesRun, jobs: readonly Job[], n: number): void {
  const { report } = run;
  const fresh: [string, AgreedFile][] = [];
  const old: string[] = [];
  for (const { step, change, after } of jobs) {
    const to = change.op === 'move' ? change.to : change.path;
    const from = change.op === 'move' ? { from: change.path } : {};
    report.pushed += 1;
    report.changes.push({ direction: 'out', op: change.op, path: to, zone: 'local', ...from });
    const { known, disk } = step;
    if (step.do === 'carry' && disk !== undefined) {
      const brought = step.ours === undefined ? step.was : { sha256: step.ours, n };
      const id = run.state.files.get(to)?.id;
      if (brought && id !== undefined) fresh.push([disk, { sha256: brought.sha256, n: brought.n, id }]);
    }
    if (known !== undefined && known !== disk && !after) old.push(known);
  }
  // A name that one file left may be the one that another took.
  for (const path of old) run.agree(path, undefined);
  for (const [path, file] of fresh) run.agree(path, file);
  run.settle();
}

/** Parts moves into groups that go into one entry: circles, and chains with their end first. */
export function groupMoves(jobs: readonly Job[]): Job[][] {
  const bySource = new Map(jobs.map((job) => [foldName(job.change.path), job]));
  const done = new Set<Job>();
  const groups: Job[][] = [];
  for (const job of jobs) {
    const chain: Job[] = [];
    for (let next: Job | undefined = job; next && !done.has(next);) {
      done.add(next);
      chain.unshift(next);
      next = next.change.op === 'move' ? bySource.get(foldName(next.change.to)) : undefined;
    }
    if (chain.length > 0) groups.push(chain);
  }
  return groups;
}

function changesOf(jobs: readonly Job[]): FileChange[] {
  return jobs.map(({ change }) => change);
}

function knownOf({ known }: Job['step']): { known?: string } {
  return known === undefined ? {} : { known };
}

function otherThan(ring: Ring): Ring {
  return ring === 'shared' ? 'private' : 'shared';
}

/** As it will stand in the entry: a control character takes six bytes there. */
function entryBytes(change: FileChange): number {
  return Buffer.byteLength(JSON.stringify(change));
}
