import { statSync } from 'node:fs';
import path from 'node:path';
import type { Git } from './git-command.ts';
import { findRepository, readGitConfig } from './repository.ts';
import type { Repository } from './repository.ts';

/** The owner's config of Git for all repositories is read again after so long. */
const MAX_AGE_MS = 30_000;

/** The repository of the vault and the owner's settings in it. */
export interface Located {
  readonly repository: Repository;
  readonly config: ReadonlyMap<string, string>;
}

/**
 * Finds the repository; asked again and again it runs git only when something may be different, or when
 * it has to be `fresh`.
 */
export type Locator = (fresh?: boolean) => Promise<Located | undefined>;

/** Makes a locator for a vault. */
export function createLocator(git: Git, vault: string): Locator {
  let known: { readonly located: Located; readonly key: string; readonly atMs: number } | undefined;
  return async (fresh = false) => {
    const now = performance.now();
    if (
      !fresh &&
      known &&
      now - known.atMs < MAX_AGE_MS &&
      known.key === keyOf(vault, known.located.repository)
    ) {
      return known.located;
    }
    known = undefined;
    const [repository, config] = await Promise.all([findRepository(git, vault), readGitConfig(git)]);
    if (!repository) return undefined;
    const located = { repository, config };
    known = { located, key: keyOf(vault, repository), atMs: now };
    return located;
  };
}

/** Says whether the repository is still the same one with the same config. */
function keyOf(vault: string, { configFile }: Repository): string {
  return [path.join(vault, '.git'), configFile]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
      const isFile = stat?.isFile() === true;
      return stat
        ? [stat.ino, stat.birthtimeNs, ...(isFile ? [stat.size, stat.mtimeNs, stat.ctimeNs] : [])].join(' ')
        : '';
    })
    .join('|');
}
