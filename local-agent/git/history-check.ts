import { createGit, GitError } from './git-command.ts';
import type { GitSettings } from './git-settings.ts';
import { headOf, readTip } from './head.ts';
import { pushError } from './push-words.ts';
import { findRepository, gitVersion, HistoryWaitsError, readGitConfig } from './repository.ts';

const REMOTE_TIMEOUT_MS = 30_000;

/**
 * Whether the vault's history can be kept, and its remote be reached, for `employee doctor`. Changes nothing.
 *
 * @returns what is there, in words.
 * @throws {HistoryWaitsError} {@link HistoryOffError} {@link GitMissingError} with what is in the way.
 */
export async function checkHistory(
  vault: string,
  settings: GitSettings,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if (!settings.enabled) return 'off: git.enabled is false in the config';
  const git = createGit(vault, env);
  await gitVersion(git);
  const [repository, tip] = await Promise.all([findRepository(git, vault), readTip(git, [])]);
  const head = repository && (await headOf(git, repository, tip));
  const here =
    repository && head
      ? `${repository.gitDir}, ${head.ref.replace(/^refs\/heads\//, '')}`
      : 'the first sync makes it';
  const { remote } = settings;
  if (remote === undefined || !repository) return here;
  const ssh = git.quietSsh(await readGitConfig(git));
  try {
    await git.run(['ls-remote', '--quiet', '--heads', '--', remote], {
      timeoutMs: REMOTE_TIMEOUT_MS,
      ...(ssh === undefined ? {} : { env: { GIT_SSH_COMMAND: ssh } }),
    });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new HistoryWaitsError(pushError(error, remote, settings.branch ?? ''), { cause: error });
  }
  return `${here}; ${remote} answers`;
}
