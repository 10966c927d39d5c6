import type { Agent } from '../agent.ts';
import { readFact, writeFact } from './history-facts.ts';
import type { Scope } from './scope.ts';
import type { NotInGit } from './selection.ts';
import { withheldInGit } from './withheld-in-git.ts';

const MAX_KEPT = 1000;
const IN_HISTORY =
  'an earlier version is in the history of the vault: if it must not be there, take it out with git filter-repo before anything is pushed';

/** Remembers which synced files are not in the last commit as they stand, and why, to be shown in `status`. */
export function keepLeftOut(
  agent: Agent,
  { touched, kept, isWhole }: Scope,
  leftOut: readonly NotInGit[],
): void {
  const found = [...leftOut, ...(isWhole ? trackedSecrets([...kept.keys()]) : [])];
  const known = isWhole ? [] : (readFact(agent.copy, 'leftOut') ?? []);
  const now = found.map(({ path, why, isSecret }) => ({
    path,
    why: isSecret && kept.has(path) ? `${why}; ${IN_HISTORY}` : why,
  }));
  const still = known.filter(({ path }) => !touched.has(path));
  writeFact(agent.copy, 'leftOut', [...still, ...now].slice(0, MAX_KEPT));
}

/** Files of an adopted repository that would never have been committed here. */
function trackedSecrets(paths: readonly string[]): NotInGit[] {
  return paths.flatMap((path) => {
    const why = withheldInGit(path);
    return why === undefined ? [] : [{ path, why, isSecret: true }];
  });
}
