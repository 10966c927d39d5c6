import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Git } from './git-command.ts';
import { HistoryWaitsError } from './repository.ts';
import type { Repository } from './repository.ts';

/** The branch as it stands. */
export interface Head {
  /** `refs/heads/…` */
  readonly ref: string;
  /** Absent before the first commit. */
  readonly commit: string | undefined;
  readonly tree: string;
}

/** What Git has at a path. */
export interface Kept {
  readonly id: string;
  /** Not always known. */
  readonly mode?: string;
}

/** The tip of the checked-out branch, and what it has at some paths. */
export interface Tip {
  /** There is a repository. */
  readonly isThere: boolean;
  /** `undefined` before the first commit, and where there is no repository. */
  readonly commit: string | undefined;
  readonly tree: string | undefined;
  readonly kept: Map<string, Kept>;
}

/** Asks for the tip and for the paths in one go: each process costs milliseconds. */
export async function readTip(git: Git, paths: readonly string[]): Promise<Tip> {
  const names = ['HEAD^{commit}', 'HEAD^{tree}', ...paths.map((at) => `HEAD:${at}`)];
  const { status, stdout } = await git.run(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
    input: names.map((name) => `${name}\n`).join(''),
    // 128: no repository.
    expect: [0, 128],
  });
  const [commit = '', tree = '', ...ids] = stdout.toString().split('\n');
  const kept = new Map<string, Kept>();
  for (const [index, at] of paths.entries()) {
    const id = idOf(ids[index] ?? '', 'blob');
    if (id !== undefined) kept.set(at, { id });
  }
  return { isThere: status === 0, commit: idOf(commit, 'commit'), tree: idOf(tree, 'tree'), kept };
}

const IN_PROGRESS = [
  ['rebase-merge', 'a rebase', 'git rebase --continue, or --abort'],
  ['rebase-apply', 'a rebase or "git am"', 'git rebase --continue, or --abort'],
  ['MERGE_HEAD', 'a merge', 'git merge --continue, or --abort'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick', 'git cherry-pick --continue, or --abort'],
  ['REVERT_HEAD', 'a revert', 'git revert --continue, or --abort'],
  ['BISECT_START', 'a bisect', 'git bisect reset'],
  ['index.lock', 'another git command', 'if none is running any more, remove that file'],
] as const;

/**
 * The branch that the next commit goes to. Looked at after the tip was read: what begins in between is
 * seen here, or moves the branch and is seen then.
 *
 * @throws {HistoryWaitsError} while something is in progress, or when no branch is checked out.
 */
export async function headOf(git: Git, repository: Repository, tip: Tip): Promise<Head> {
  for (const [file, what, next] of IN_PROGRESS) {
    const at = path.join(repository.gitDir, file);
    if (existsSync(at)) throw new HistoryWaitsError(`${what} is in progress in the vault (${at}): ${next}`);
  }
  const { commit, tree } = tip;
  return { ref: await branchRef(git, repository), commit, tree: tree ?? emptyTree(repository.format) };
}

async function branchRef(git: Git, { gitDir }: Repository): Promise<string> {
  const text = await readFile(path.join(gitDir, 'HEAD'), 'utf8').catch(() => '');
  const written = /^ref: (refs\/heads\/[^\n]+)\n?$/.exec(text)?.[1];
  // Where refs are kept in tables, that file names a branch that cannot be.
  if (written !== undefined && !written.endsWith('/.invalid')) return written;
  const symbolic = await git.run(['symbolic-ref', '--quiet', 'HEAD'], { expect: [0, 1] });
  if (symbolic.status === 0) return symbolic.stdout.toString().trim();
  throw new HistoryWaitsError('no branch is checked out in the vault (detached HEAD): git switch to one');
}

function idOf(line: string, type: 'commit' | 'tree' | 'blob'): string | undefined {
  const [id = '', found] = line.split(' ');
  return found === type ? id : undefined;
}

/** The id of the tree without entries. */
function emptyTree(format: Repository['format']): string {
  return format === 'sha256'
    ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
    : '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
}
