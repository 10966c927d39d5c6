import { existsSync, lstatSync } from 'node:fs';
import path from 'node:path';
import type { Git } from './git-command.ts';
import { treeEntries } from './objects.ts';

const SUBMODULE = '160000';

/**
 * The folders above some paths that hold nothing of this repository, each with the reason in words: links, and
 * submodules, which a commit of a file in them would take out of it. Git is asked about submodules only where
 * a folder or `.gitmodules` says that there may be one.
 *
 * @param tree the tree of the head.
 */
export async function foreignFolders(
  git: Git,
  vault: string,
  tree: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const foreign = new Map<string, string>();
  const seen = new Set<string>();
  let isLikely = existsSync(path.join(vault, '.gitmodules'));
  for (const at of paths) {
    for (const folder of foldersAbove(at)) {
      if (seen.has(folder)) break;
      seen.add(folder);
      const place = path.join(vault, folder);
      if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
        foreign.set(folder, `the folder ${folder} is a link`);
      }
      isLikely ||= existsSync(path.join(place, '.git'));
    }
  }
  if (seen.size === 0 || !isLikely) return foreign;
  for (const link of await submodules(git, tree)) {
    foreign.set(link, `it lies in the submodule ${link}, which has a history of its own`);
  }
  return foreign;
}

/** Why a path is in none of this repository's folders, or `undefined`. */
export function whyForeign(foreign: ReadonlyMap<string, string>, at: string): string | undefined {
  if (foreign.size === 0) return undefined;
  for (const folder of foldersAbove(at)) {
    const why = foreign.get(folder);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** Those of the last commit, and those that the owner has staged. */
async function submodules(git: Git, tree: string): Promise<string[]> {
  const [committed, staged] = await Promise.all([
    treeEntries(git, tree),
    git.run(['ls-files', '-z', '--stage', '--full-name']),
  ]);
  const found = [...committed].filter(([, { mode }]) => mode === SUBMODULE).map(([at]) => at);
  for (const line of staged.stdout.toString().split('\0')) {
    if (line.startsWith(SUBMODULE)) found.push(line.slice(line.indexOf('\t') + 1));
  }
  return found;
}

/** Inmost first. */
function foldersAbove(at: string): string[] {
  const parts = at.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}
