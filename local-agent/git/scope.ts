import { VaultPath } from '#protocol/vault-path.ts';
import type { Agent } from '../agent.ts';
import type { VaultChange } from '../sync/vault-change.ts';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import { readTip } from './head.ts';
import type { Kept, Tip } from './head.ts';
import { readFact } from './history-facts.ts';
import { parseRaw, treeEntries } from './objects.ts';
import { allPaths, touchedPaths, wantedAt } from './touched-paths.ts';
import type { Cause } from './touched-paths.ts';
import { withheldInGit } from './withheld-in-git.ts';

/** The paths that a commit has to look at, and what Git has there. */
export interface Scope {
  readonly touched: ReadonlyMap<string, Cause>;
  readonly kept: ReadonlyMap<string, Kept>;
  /** It is the whole vault, and `kept` all that Git has. */
  readonly isWhole: boolean;
}

/**
 * What the ledger and the sync touched since the last time, and what had to wait then; `undefined`
 * without a last time, or when that is long ago.
 */
export function touchedSinceMark(
  agent: Agent,
  changes: readonly VaultChange[],
): Map<string, Cause> | undefined {
  const mark = readFact(agent.copy, 'mark');
  const touched = mark && touchedPaths(agent, mark.n, changes);
  if (!touched) return undefined;
  for (const { path, zone, taskId } of readFact(agent.copy, 'pending') ?? []) {
    if (!touched.has(path)) touched.set(path, { zone, ...(taskId === undefined ? {} : { taskId }) });
  }
  return touched;
}

/**
 * Adds what the owner's own commits changed meanwhile. When the history is not the one that was left (a
 * new repository, commits that are gone), it is the whole vault.
 *
 * @param tip with what it has at the touched paths.
 * @param sparse files are missing on purpose.
 */
export async function scopeOf(
  agent: Agent,
  git: Git,
  tip: Tip,
  touched: Map<string, Cause> | undefined,
  sparse: boolean,
): Promise<Scope> {
  const mark = readFact(agent.copy, 'mark');
  const foreign = mark && (await changedSince(git, mark.tip, tip));
  if (!foreign || !touched) return wholeVault(agent, await entriesOf(git, tip), touched, sparse);
  const added = foreign.filter((path) => !touched.has(path) && wantedAt(agent, path));
  if (added.length === 0) return { touched, kept: tip.kept, isWhole: false };
  for (const path of added) touched.set(path, { zone: 'local' });
  const { kept } = await readTip(git, added);
  return { touched, kept: new Map([...tip.kept, ...kept]), isWhole: false };
}

function wholeVault(
  agent: Agent,
  kept: ReadonlyMap<string, Kept>,
  touched: ReadonlyMap<string, Cause> | undefined,
  sparse: boolean,
): Scope {
  const all = allPaths(agent);
  for (const [path, { mode = '' }] of sparse ? [] : kept) {
    // What Git has and the ledger has not may have been removed while nobody took note of it here.
    if (mode.startsWith('100') && isSynced(path) && !all.has(path)) all.set(path, { zone: 'local' });
  }
  for (const [path, cause] of touched ?? []) all.set(path, cause);
  return { touched: all, kept, isWhole: true };
}

async function entriesOf(git: Git, { tree }: Tip): Promise<ReadonlyMap<string, Kept>> {
  return tree === undefined ? new Map<string, Kept>() : treeEntries(git, tree);
}

/** The paths in which the branch differs from where it was left; `undefined` when that is not there any more. */
async function changedSince(git: Git, left: string, { commit }: Tip): Promise<string[] | undefined> {
  if (left === (commit ?? '')) return [];
  if (left === '' || commit === undefined) return undefined;
  try {
    const { stdout } = await git.run(['diff-tree', '-r', '-z', '--raw', '--no-renames', left, commit, '--']);
    return parseRaw(stdout.toString()).map(({ path }) => path);
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

function isSynced(path: string): boolean {
  if (path.split('/').some((part) => part.startsWith('.')) || !VaultPath.safeParse(path).success)
    return false;
  return withheldInGit(path) === undefined;
}
