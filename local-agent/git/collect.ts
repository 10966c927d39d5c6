import type { Agent } from '../agent.ts';
import type { BatchChange } from './batch.ts';
import { whyForeign } from './foreign-folders.ts';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import type { GitSettings } from './git-settings.ts';
import type { HistoryFact } from './history-facts.ts';
import { blobId, conversions, ignoredPaths, storeBlob, storeBlobs, storeConverted } from './objects.ts';
import type { Conversion } from './objects.ts';
import { isTrue } from './repository.ts';
import type { Repository } from './repository.ts';
import type { Kept } from './head.ts';
import { look } from './selection.ts';
import type { Candidate, NotInGit, Selection } from './selection.ts';

/** Where things are collected from and stored to. */
export interface Collector {
  readonly agent: Agent;
  readonly git: Git;
  readonly repository: Repository;
  readonly settings: GitSettings;
  /** The owner's config of Git. */
  readonly config: ReadonlyMap<string, string>;
  /** What Git has at the paths in question: the same again is no change. */
  readonly kept: ReadonlyMap<string, Kept>;
  readonly foreign: ReadonlyMap<string, string>;
}

/** What came of it: the changes of the commit, their blobs stored. */
export interface Collected {
  readonly changes: BatchChange[];
  readonly leftOut: NotInGit[];
  readonly later: HistoryFact<'pending'>;
}

/** Reads, checks and stores what is to be committed. One file at a time is in memory. */
export async function collect(collector: Collector, selection: Selection): Promise<Collected> {
  const { git, config, kept, repository, foreign } = collector;
  const collected: Collected = { changes: [], leftOut: [...selection.leftOut], later: [] };
  const nothing = '0'.repeat(repository.format === 'sha256' ? 64 : 40);
  for (const { path, cause } of selection.removals) {
    const before = kept.get(path)?.id;
    collected.changes.push({ path, mode: '0', id: nothing, cause, before });
  }
  const own: Candidate[] = [];
  for (const candidate of selection.puts) {
    const why = whyForeign(foreign, candidate.path);
    if (why === undefined) own.push(candidate);
    else {
      collected.leftOut.push({ path: candidate.path, why, isSecret: false });
      collected.later.push({ path: candidate.path, ...candidate.cause });
    }
  }
  const paths = own.map(({ path }) => path);
  if (paths.length === 0) return collected;
  const [ignored, converted] = await Promise.all([
    // What Git has already is not ignored, whatever the rules say.
    ignoredPaths(
      git,
      paths.filter((path) => !kept.has(path)),
    ),
    conversions(git, paths, config),
  ]);
  const puts = own.filter(({ path }) => !ignored.has(path));
  const blobs = newBlobs(collector, puts, converted, collected);
  const first = await blobs.next();
  if (first.done === true) return collected;
  const second = await blobs.next();
  // Of one alone the importer costs more than it spares.
  if (second.done === true) await storeBlob(git, first.value);
  else await storeBlobs(git, startingWith(first.value, second.value, blobs));
  return collected;
}

/** The bytes that are new to Git; tells `collected` what became of each candidate. */
async function* newBlobs(
  { agent, git, repository, settings, config, kept }: Collector,
  puts: readonly Candidate[],
  converted: ReadonlyMap<string, Conversion>,
  collected: Collected,
): AsyncGenerator<Uint8Array, void> {
  const hasModes = isTrue(config.get('core.filemode') ?? 'true');
  for (const candidate of puts) {
    const { path, cause } = candidate;
    const seen = await look(agent, candidate, settings.maxFileBytes);
    if (seen === 'later') {
      collected.later.push({ path, ...cause });
      continue;
    }
    if ('leftOut' in seen) {
      collected.leftOut.push({ path, why: seen.leftOut, isSecret: seen.isSecret });
      if (seen.isPassing) collected.later.push({ path, ...cause });
      continue;
    }
    const before = kept.get(path);
    // Where the file system has no modes, those that Git has stay.
    const executable = hasModes ? seen.executable : before?.mode === '100755';
    const mode = executable ? '100755' : '100644';
    const kind = converted.get(path) ?? 'none';
    const isPlain = kind === 'none' || (kind === 'line-ends' && !Buffer.from(seen.bytes).includes('\r'));
    let id: string;
    try {
      id = isPlain ? blobId(repository.format, seen.bytes) : await storeConverted(git, path, seen.bytes);
    } catch (error) {
      if (!isAboutTheFile(error)) throw error;
      // Tried again with the next commit: the owner may have brought the filter back.
      collected.later.push({ path, ...cause });
      collected.leftOut.push({ path, why: `your Git settings refuse it: ${error.message}`, isSecret: false });
      continue;
    }
    if (before?.id === id && (before.mode ?? mode) === mode) continue;
    collected.changes.push({ path, mode, id, cause, before: before?.id });
    if (isPlain) yield seen.bytes;
  }
}

/** A filter that fails, or line ends that `core.safecrlf` keeps from being converted; no full disk, no signal. */
function isAboutTheFile(error: unknown): error is GitError {
  return (
    error instanceof GitError &&
    error.status === 128 &&
    !/unable to (write|create)|insufficient permission|no space left/i.test(error.stderr)
  );
}

async function* startingWith<T>(first: T, second: T, rest: AsyncIterable<T>): AsyncIterable<T> {
  yield first;
  yield second;
  yield* rest;
}
