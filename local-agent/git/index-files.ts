import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import { parseRaw } from './objects.ts';
import type { TreeChange } from './objects.ts';
import { HistoryWaitsError } from './repository.ts';
import type { Head, Repository } from './repository.ts';

const FOLDER = 'ai-employee';
const NOTHING = /^0+$/;

/** The place in the repository where a commit is put together, away from the owner's index. */
export interface Workshop {
  /** An index that holds the tree of the head. */
  readonly indexFile: string;
  /** A file for the commit's message. */
  readonly messageFile: string;
  /** Keeps the index for the next commit on top of `tree`. */
  keep(tree: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes an index that equals the head's tree: a copy of the one kept from the last commit, or read anew. */
export async function openWorkshop(git: Git, repository: Repository, head: Head): Promise<Workshop> {
  const home = path.join(repository.gitDir, FOLDER);
  await mkdir(home, { recursive: true });
  // Only one process of this machine works here at a time: whatever lies about was left by a dead one.
  for (const name of await readdir(home)) {
    if (name.startsWith('work-')) await rm(path.join(home, name), { recursive: true, force: true });
  }
  const folder = path.join(home, `work-${randomBytes(6).toString('hex')}`);
  const indexFile = path.join(folder, 'index');
  const kept = path.join(home, `index-${head.tree}`);
  await mkdir(folder);
  if (existsSync(kept)) await copyFile(kept, indexFile);
  else if (head.commit !== undefined)
    await git.run(['read-tree', head.tree], { env: { GIT_INDEX_FILE: indexFile } });
  return {
    indexFile,
    messageFile: path.join(folder, 'message'),
    async keep(tree) {
      await rename(indexFile, path.join(home, `index-${tree}`));
      for (const name of await readdir(home)) {
        if (name.startsWith('index-') && name !== `index-${tree}`)
          await rm(path.join(home, name), { force: true });
      }
    },
    async close() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What the owner's index holds beyond the head. */
export interface Staged {
  /** Staged by the owner; left alone. */
  readonly paths: ReadonlySet<string>;
  /** What a run of ours put there that died before its commit, with what the head has: nobody's wish. */
  readonly own: ReadonlyMap<string, IndexEntry>;
}

/**
 * Reads what the owner's own index holds beyond the head.
 *
 * @throws {HistoryWaitsError} while a conflict in it is unresolved.
 */
export async function readStaged(git: Git, repository: Repository, head: Head): Promise<Staged> {
  const raw = async (...args: string[]): Promise<TreeChange[]> =>
    parseRaw(
      (
        await git.run([args[0] ?? '', '-z', '--raw', '--no-renames', '--no-abbrev', ...args.slice(1), '--'])
      ).stdout.toString(),
    );
  const staged = await raw('diff-index', '--cached', head.tree);
  if (staged.some(({ status }) => status === 'U')) {
    throw new HistoryWaitsError(
      "a conflict in the vault's Git index is unresolved: git status names the files",
    );
  }
  const paths = new Set<string>();
  const own = new Map<string, IndexEntry>();
  if (staged.length === 0) return { paths, own };
  const tree = await readFile(markerOf(repository), 'utf8').catch(() => '');
  const wrote = /^[0-9a-f]{40,64}$/.test(tree)
    ? await raw('diff-tree', '-r', head.tree, tree).catch(() => [])
    : [];
  const ours = new Map(wrote.map(({ path: at, mode, id }) => [at, `${mode} ${id}`]));
  for (const { path: at, mode, id, before } of staged) {
    if (ours.get(at) === `${mode} ${id}`) own.set(at, { path: at, ...before });
    else paths.add(at);
  }
  return { paths, own };
}

/**
 * Brings the owner's index in step with the commit that is about to be made, where nothing is staged.
 * Done before the branch moves: should this run die in between, the index holds what is also in the
 * working tree, and not something that looks like the undoing of the commit.
 */
export async function updateOwnersIndex(
  git: Git,
  repository: Repository,
  { paths, own }: Staged,
  tree: string,
  changes: readonly TreeChange[],
): Promise<void> {
  const entries = new Map<string, IndexEntry>(own);
  for (const { path: at, from, mode, id } of changes) {
    if (from !== undefined) entries.set(from, { path: from, mode: '0', id: '0'.repeat(id.length) });
    entries.set(at, { path: at, mode, id });
  }
  const lines = [...entries.values()].filter((entry) => !paths.has(entry.path)).map(indexLine);
  await writeFile(markerOf(repository), tree);
  try {
    await git.run(UPDATE_INDEX, { input: inOrder(lines) });
  } catch (error) {
    if (!(error instanceof GitError) || !/\.lock/.test(error.stderr)) throw error;
    throw new HistoryWaitsError('another git command is at work in the vault (index.lock)', { cause: error });
  }
}

/** The commit stands: what is in the index is in the history. */
export async function forgetStaging(repository: Repository): Promise<void> {
  await rm(markerOf(repository), { force: true });
}

/** The command that takes {@link indexLine}s. */
export const UPDATE_INDEX = ['update-index', '-z', '--add', '--remove', '--replace', '--index-info'] as const;

/** One path of an index; an id of zeros takes it out. */
export interface IndexEntry {
  readonly path: string;
  readonly mode: string;
  readonly id: string;
}

/** An entry as {@link UPDATE_INDEX} reads it. */
export function indexLine({ path: at, mode, id }: IndexEntry): string {
  return NOTHING.test(id) ? `0 ${id}\t${at}\0` : `${mode} ${id}\t${at}\0`;
}

/** Removals first: a file may make room for a folder. */
export function inOrder(lines: readonly string[]): string {
  return [
    ...lines.filter((line) => line.startsWith('0 ')),
    ...lines.filter((line) => !line.startsWith('0 ')),
  ].join('');
}

function markerOf({ gitDir }: Repository): string {
  return path.join(gitDir, FOLDER, 'staged');
}
