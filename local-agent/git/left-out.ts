import { withheldPath } from '#protocol/withheld.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import type { Agent } from '../agent.ts';
import type { Git } from './git-command.ts';
import { readFact, writeFact } from './history-facts.ts';
import type { LeftOut } from './history.ts';
import type { Head } from './repository.ts';
import type { Scope } from './scope.ts';

const MAX_KEPT = 1000;
const IN_HISTORY =
  'an earlier version is in the history of the vault: if it must not be there, take it out with git filter-repo before anything is pushed';

/** Remembers which synced files are not in the last commit as they stand, and why, to be shown in `status`. */
export async function keepLeftOut(
  agent: Agent,
  git: Git,
  head: Head,
  { touched, entries }: Scope,
  leftOut: readonly LeftOut[],
): Promise<void> {
  const found = [...leftOut, ...(entries ? trackedSecrets([...entries.keys()]) : [])];
  const before = entries
    ? []
    : (readFact(agent.copy, 'leftOut') ?? []).filter(({ path }) => !touched.has(path));
  const inHistory = await trackedOf(git, head, found.slice(0, MAX_KEPT));
  const now = found.map(({ path, why }) => ({
    path,
    why: inHistory.has(path) ? `${why}; ${IN_HISTORY}` : why,
  }));
  writeFact(agent.copy, 'leftOut', [...before, ...now].slice(0, MAX_KEPT));
}

/** Files of an adopted repository that would never have been committed here. */
function trackedSecrets(paths: readonly string[]): LeftOut[] {
  return paths.flatMap((path) => {
    const why = taskFolderOf(path) ? undefined : withheldPath(path);
    return why === undefined ? [] : [{ path, why }];
  });
}

async function trackedOf(git: Git, head: Head, leftOut: readonly LeftOut[]): Promise<Set<string>> {
  if (leftOut.length === 0 || head.commit === undefined) return new Set();
  const { stdout } = await git.run(['cat-file', '--batch-check=%(objecttype)'], {
    input: leftOut.map(({ path }) => `${head.tree}:${path}\n`).join(''),
  });
  const lines = stdout.toString().split('\n');
  return new Set(leftOut.filter((_one, index) => lines[index] === 'blob').map(({ path }) => path));
}
