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
  readonly configFile: string;
  /** The owner's own index. */
  readonly indexFile: string;
  readonly format: 'sha1' | 'sha256';
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
 * @returns `undefined` when the vault is in no repository, or in one that ignores it.
 * @throws {HistoryOffError} when it lies inside a larger one; {@link HistoryWaitsError} when Git refuses.
 */
export async function findRepository(git: Git, vault: string): Promise<Repository | undefined> {
  const ask = ['--is-inside-work-tree', '--show-prefix', '--absolute-git-dir', '--show-object-format'];
  const paths = ['hooks', 'info/exclude', 'config', 'index'].flatMap((name) => ['--git-path', name]);
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
  const [isInside, prefix, gitDir = '', format, hooks = '', exclude = '', config = '', index = ''] = answer;
  if (isInside !== 'true') {
    throw new HistoryWaitsError(
      `the vault's repository is bare (core.bare): it has no working tree to commit`,
    );
  }
  if (prefix !== '') {
    // A folder that the larger one ignores is no part of it: there is room for an own repository.
    if (await isForeignTo(git)) return undefined;
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
    configFile: path.resolve(vault, config),
    indexFile: path.resolve(vault, index),
  };
}

/** Whether the repository around this folder ignores it and has nothing in it. */
async function isForeignTo(git: Git): Promise<boolean> {
  const [ignored, tracked] = await Promise.all([
    git.run(['check-ignore', '--quiet', '.'], { expect: [0, 1] }),
    git.run(['ls-files', '-z', '--', '.']),
  ]);
  return ignored.status === 0 && tracked.stdout.length === 0;
}

/** Makes the vault a repository; one that a killed run left half made is completed. */
export async function makeRepository(git: Git): Promise<void> {
  const branch = await git.run(['config', '--get', 'init.defaultBranch'], { expect: [0, 1] });
  await git.run(['init', '--quiet', ...(branch.status === 0 ? [] : ['--initial-branch=main'])]);
}

/** A worktree or submodule names its repository in a file. */
function isFileLink(vault: string): boolean {
  return statSync(path.join(vault, '.git'), { throwIfNoEntry: false })?.isFile() === true;
}

/** Whether a setting of Git means yes; what is not set means no. */
export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(true|yes|on|0*[1-9]\d*)$/i.test(value);
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
