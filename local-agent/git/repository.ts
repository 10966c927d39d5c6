import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { EmployeeError } from '#protocol/errors.ts';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';

const MIN_VERSION = [2, 30] as const;

/** The history has to wait for the owner, or for another program. The message says for what. */
export class HistoryWaitsError extends EmployeeError {
  static override readonly code = 'HISTORY_WAITS';
}

/** The vault has no history of its own, and none is made. The message says why. */
export class HistoryOffError extends EmployeeError {
  static override readonly code = 'HISTORY_OFF';
}

/** Where the parts of a repository lie. Absolute paths. */
export interface Repository {
  readonly gitDir: string;
  readonly hooksDir: string;
  readonly excludeFile: string;
  readonly format: 'sha1' | 'sha256';
}

/** The branch as it stands. */
export interface Head {
  /** `refs/heads/…` */
  readonly ref: string;
  /** Absent before the first commit. */
  readonly commit: string | undefined;
  readonly tree: string;
}

/** The version of the `git` on this machine.
 *
 * @throws {GitMissingError} {@link HistoryOffError} when it is too old.
 */
export async function gitVersion(git: Git): Promise<readonly [major: number, minor: number]> {
  const text = await git.text(['--version']);
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(text) ?? [];
  const version = [Number(major), Number(minor)] as const;
  if (isAtLeast(version, MIN_VERSION)) return version;
  throw new HistoryOffError(
    `git ${major}.${minor} is too old for the history: ${MIN_VERSION.join('.')} or newer is needed`,
  );
}

export function isAtLeast(version: readonly [number, number], wanted: readonly [number, number]): boolean {
  return version[0] > wanted[0] || (version[0] === wanted[0] && version[1] >= wanted[1]);
}

/**
 * Finds the repository whose working tree is the vault: an own one, a linked worktree or a submodule.
 *
 * @returns `undefined` when the vault is in no repository.
 * @throws {HistoryOffError} when it lies inside a larger one; {@link HistoryWaitsError} when Git refuses.
 */
export async function findRepository(git: Git, vault: string): Promise<Repository | undefined> {
  const ask = ['--is-inside-work-tree', '--show-prefix', '--absolute-git-dir', '--show-object-format'];
  const paths = ['--git-path', 'hooks', '--git-path', 'info/exclude'];
  let answer: string[];
  try {
    answer = (await git.text(['rev-parse', ...ask, ...paths])).split('\n');
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    if (/dubious ownership/.test(error.stderr)) {
      throw new HistoryWaitsError(
        `the vault's repository belongs to another user of this machine, so git does not use it. If that is right: git config --global --add safe.directory ${JSON.stringify(vault)}`,
        { cause: error },
      );
    }
    if (!/not a git repository/.test(error.stderr)) throw error;
    if (!existsSync(path.join(vault, '.git', 'HEAD')) && !isFileLink(vault)) return undefined;
    throw new HistoryWaitsError(
      `${path.join(vault, '.git')} is damaged; git does not take it for a repository`,
      {
        cause: error,
      },
    );
  }
  const [isInside, prefix, gitDir = '', format, hooks = '', exclude = ''] = answer;
  if (isInside !== 'true') {
    throw new HistoryWaitsError(
      `the vault's repository is bare (core.bare): it has no working tree to commit`,
    );
  }
  if (prefix !== '') {
    const root = await git.text(['rev-parse', '--show-toplevel']);
    throw new HistoryOffError(
      `the vault lies inside the repository ${root}, which holds more than the vault and is left to you. "git init" in the vault gives it a history of its own`,
    );
  }
  return {
    gitDir,
    format: format === 'sha256' ? 'sha256' : 'sha1',
    hooksDir: path.resolve(vault, hooks),
    excludeFile: path.resolve(vault, exclude),
  };
}

/** Makes the vault a repository; one that a killed run left half made is completed. */
export async function makeRepository(git: Git): Promise<void> {
  const branch = await git.run(['config', '--get', 'init.defaultBranch'], { expect: [0, 1] });
  await git.run(['init', '--quiet', ...(branch.status === 0 ? [] : ['--initial-branch=main'])]);
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
 * The vault's repository with the branch that the next commit goes to.
 *
 * @returns `undefined` when the vault is in no repository.
 * @throws {HistoryWaitsError} while something is in progress, when no branch is checked out, and as {@link findRepository}.
 */
export async function findHead(
  git: Git,
  vault: string,
): Promise<{ readonly repository: Repository; readonly head: Head } | undefined> {
  // Asked at the same time: each process costs milliseconds. Without a repository both fail.
  const expect = [0, 1, 128];
  const [repository, symbolic, objects] = await Promise.all([
    findRepository(git, vault),
    git.run(['symbolic-ref', '--quiet', 'HEAD'], { expect }),
    git.run(['cat-file', '--batch-check'], { expect, input: 'HEAD^{commit}\nHEAD^{tree}\n' }),
  ]);
  if (!repository) return undefined;
  for (const [file, what, next] of IN_PROGRESS) {
    const at = path.join(repository.gitDir, file);
    if (existsSync(at)) throw new HistoryWaitsError(`${what} is in progress in the vault (${at}): ${next}`);
  }
  if (symbolic.status !== 0) {
    throw new HistoryWaitsError('no branch is checked out in the vault (detached HEAD): git switch to one');
  }
  const ref = symbolic.stdout.toString().trim();
  const [commit = '', tree = ''] = objects.stdout.toString().split('\n');
  if (/ missing$/.test(commit)) {
    return { repository, head: { ref, commit: undefined, tree: emptyTree(repository.format) } };
  }
  return { repository, head: { ref, commit: commit.split(' ')[0], tree: tree.split(' ')[0] ?? '' } };
}

/** The id of the tree without entries. */
function emptyTree(format: Repository['format']): string {
  return format === 'sha256'
    ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
    : '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
}

/** A worktree or submodule names its repository in a file. */
function isFileLink(vault: string): boolean {
  return statSync(path.join(vault, '.git'), { throwIfNoEntry: false })?.isFile() === true;
}

/** The owner's settings of Git as far as they matter here; the last value of each name holds. */
export async function readGitConfig(git: Git): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await git.run(['config', '--list', '-z']);
  const settings = new Map<string, string>();
  for (const item of stdout.toString().split('\0')) {
    const at = item.indexOf('\n');
    if (item !== '') settings.set(at < 0 ? item : item.slice(0, at), at < 0 ? 'true' : item.slice(at + 1));
  }
  return settings;
}
