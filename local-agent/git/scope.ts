import { taskFolderOf, VaultPath } from '#protocol/vault-path.ts';
import { withheldPath } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import type { VaultChange } from '../sync/vault-change.ts';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import { readFact } from './history-facts.ts';
import { parseRaw, treeEntries } from './objects.ts';
import type { Head } from './repository.ts';
import { allPaths, touchedPaths, wantedAt } from './touched-paths.ts';
import type { Cause } from './touched-paths.ts';

/** What Git has at each path. */
export type TreeEntries = Awaited<ReturnType<typeof treeEntries>>;

/** The paths that a commit has to look at. */
export interface Scope {
  readonly touched: Map<string, Cause>;
  /** What Git has at every path, when the whole vault is looked at. */
  readonly entries?: TreeEntries;
}

/**
 * Finds out what to look at: what the ledger and the sync touched since the last time, what the owner's
 * own commits changed meanwhile, and what had to wait. Without a last time, or when the history is not
 * the one that was left (a new repository, a reset), it is the whole vault.
 */
export async function scopeOf(
  agent: Agent,
  git: Git,
  head: Head,
  changes: readonly VaultChange[],
  sparse: boolean,
): Promise<Scope> {
  const mark = readFact(agent.copy, 'mark');
  const foreign = mark && (await changedSince(git, mark.tip, head));
  const touched = mark && foreign && touchedPaths(agent, mark.n, changes);
  if (!touched) return wholeVault(agent, await treeEntries(git, head.tree), changes, sparse);
  for (const path of foreign) {
    if (!touched.has(path) && wantedAt(agent, path)) touched.set(path, { zone: 'local' });
  }
  for (const { path, zone, taskId } of readFact(agent.copy, 'pending') ?? []) {
    if (!touched.has(path)) touched.set(path, { zone, ...(taskId === undefined ? {} : { taskId }) });
  }
  return { touched };
}

function wholeVault(
  agent: Agent,
  entries: TreeEntries,
  changes: readonly VaultChange[],
  sparse: boolean,
): Scope {
  const touched = allPaths(agent);
  for (const [path, { mode }] of entries) {
    // What Git has and the ledger has not may have been removed while nobody took note of it here. In a
    // sparse checkout files are missing on purpose.
    if (!sparse && mode.startsWith('100') && isSynced(path) && !touched.has(path))
      touched.set(path, { zone: 'local' });
  }
  const { n } = agent.session.state.head;
  for (const [path, cause] of touchedPaths(agent, n, changes) ?? []) touched.set(path, cause);
  return { touched, entries };
}

/** The paths in which the branch differs from where it was left; `undefined` when that is not there any more. */
async function changedSince(git: Git, tip: string, head: Head): Promise<string[] | undefined> {
  if (tip === (head.commit ?? '')) return [];
  if (tip === '' || head.commit === undefined) return undefined;
  try {
    const { stdout } = await git.run([
      'diff-tree',
      '-r',
      '-z',
      '--raw',
      '--no-renames',
      tip,
      head.commit,
      '--',
    ]);
    return parseRaw(stdout.toString()).map(({ path }) => path);
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

function isSynced(path: string): boolean {
  if (path.split('/').some((part) => part.startsWith('.')) || !VaultPath.safeParse(path).success)
    return false;
  return taskFolderOf(path) !== undefined || withheldPath(path) === undefined;
}
