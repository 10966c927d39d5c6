import { existsSync } from 'node:fs';
import path from 'node:path';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import { HistoryWaitsError, isAtLeast } from './repository.ts';
import type { Repository } from './repository.ts';

const NAMES = ['pre-commit', 'prepare-commit-msg', 'commit-msg', 'post-commit'] as const;
/** The agent waits for them; what takes longer would hold up the vault. */
const TIMEOUT_MS = 60_000;
const HOOK_RUN_VERSION = [2, 36] as const;

type HookName = (typeof NAMES)[number];

/** The owner's hooks around a commit. */
export interface Hooks {
  has(name: HookName): boolean;
  /** @throws {HistoryWaitsError} when the hook says no. */
  run(name: HookName, args: readonly string[], indexFile?: string): Promise<void>;
}

/**
 * The hooks that `git commit` would run in this repository: those in its hooks folder (`core.hooksPath`
 * as well) and, with a newer Git, those of the config.
 *
 * @throws {HistoryWaitsError} when there are some and this Git cannot run them.
 */
export function ownersHooks(
  git: Git,
  repository: Repository,
  settings: ReadonlyMap<string, string>,
  version: readonly [number, number],
): Hooks {
  const configured = new Set(
    [...settings].filter(([name]) => /^hook\..*\.event$/.test(name)).map(([, event]) => event),
  );
  const has = (name: HookName): boolean =>
    configured.has(name) || existsSync(path.join(repository.hooksDir, name));
  if (!isAtLeast(version, HOOK_RUN_VERSION) && NAMES.some(has)) {
    throw new HistoryWaitsError(
      `your Git hooks (${repository.hooksDir}) need git ${HOOK_RUN_VERSION.join('.')} or newer to be run from here`,
    );
  }
  return {
    has,
    async run(name, args, indexFile) {
      if (!has(name)) return;
      try {
        await git.run(['hook', 'run', '--ignore-missing', name, '--', ...args], {
          env: { ...git.locale, ...(indexFile === undefined ? {} : { GIT_INDEX_FILE: indexFile }) },
          timeoutMs: TIMEOUT_MS,
          lingers: true,
        });
      } catch (error) {
        if (!(error instanceof GitError)) throw error;
        const said = error.stderr.trim().split('\n').slice(-3).join(' / ').slice(0, 300);
        throw new HistoryWaitsError(
          `your ${name} hook refused the commit${said === '' ? '' : `: ${said}`}; it is tried again after the next change`,
          { cause: error },
        );
      }
    },
  };
}
