import { statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import type { Head } from './head.ts';
import { indexInput, UPDATE_INDEX } from './index-lines.ts';
import type { IndexEntry } from './index-lines.ts';
import { parseRaw } from './objects.ts';
import type { TreeChange } from './objects.ts';
import { HistoryWaitsError } from './repository.ts';
import type { Repository } from './repository.ts';
import { ownFolder } from './workshop.ts';

/** What the owner's index holds beyond the head. */
export interface Staged {
  /** Staged by the owner; left alone. */
  readonly paths: ReadonlySet<string>;
  /** What a run of ours put there that died before its commit, with what the head has: nobody's wish. */
  readonly own: ReadonlyMap<string, IndexEntry>;
}

/** The index that the owner's own git commands use. It follows our commits where nothing is staged. */
export interface OwnersIndex {
  /** @throws {HistoryWaitsError} while a conflict in it is unresolved. */
  read(repository: Repository, head: Head): Promise<Staged>;
  /**
   * Brings it in step with the commit that is about to be made. Done before the branch moves: should this
   * run die in between, the index holds what is also in the working tree, and not something that looks
   * like the undoing of the commit.
   *
   * @throws {HistoryWaitsError} while another command holds it.
   */
  update(repository: Repository, staged: Staged, tree: string, changes: readonly TreeChange[]): Promise<void>;
  /** The commit stands: what is in the index is in the history. */
  settle(repository: Repository, staged: Staged, commit: string | undefined): Promise<void>;
}

const NOTHING_STAGED: Staged = { paths: new Set(), own: new Map() };

export function createOwnersIndex(git: Git): OwnersIndex {
  /** The index as it was left, equal to this commit. */
  let left: { readonly commit: string | undefined; readonly key: string } | undefined;
  let written = '';

  const raw = async (...args: string[]): Promise<TreeChange[]> => {
    const [command = '', ...rest] = args;
    const options = ['-z', '--raw', '--no-renames', '--no-abbrev'];
    return parseRaw((await git.run([command, ...options, ...rest, '--'])).stdout.toString());
  };
  return {
    async read(repository, head) {
      if (left && left.commit === head.commit && left.key === keyOf(repository)) return NOTHING_STAGED;
      const staged = await raw('diff-index', '--cached', head.tree);
      if (staged.some(({ status }) => status === 'U')) {
        throw new HistoryWaitsError(
          "a conflict in the vault's Git index is unresolved: git status names the files",
        );
      }
      if (staged.length === 0) return NOTHING_STAGED;
      const paths = new Set<string>();
      const own = new Map<string, IndexEntry>();
      const tree = await readFile(markerOf(repository), 'utf8').catch(() => '');
      const isTree = /^[0-9a-f]{40,64}$/.test(tree);
      const wrote = isTree ? await raw('diff-tree', '-r', head.tree, tree).catch(() => []) : [];
      const ours = new Map(wrote.map(({ path: at, mode, id }) => [at, `${mode} ${id}`]));
      for (const { path: at, mode, id, before } of staged) {
        if (ours.get(at) === `${mode} ${id}`) own.set(at, { path: at, ...before });
        else paths.add(at);
      }
      return { paths, own };
    },
    async update(repository, { paths, own }, tree, changes) {
      left = undefined;
      const entries = new Map<string, IndexEntry>(own);
      for (const { path: at, from, mode, id } of changes) {
        if (from !== undefined) entries.set(from, { path: from, mode: '0', id: '0'.repeat(id.length) });
        entries.set(at, { path: at, mode, id });
      }
      await writeFile(markerOf(repository), tree);
      try {
        const input = indexInput([...entries.values()].filter((entry) => !paths.has(entry.path)));
        await git.run(UPDATE_INDEX, { input });
        written = keyOf(repository);
      } catch (error) {
        if (!(error instanceof GitError) || !/\.lock/.test(error.stderr)) throw error;
        throw new HistoryWaitsError('another git command is at work in the vault (index.lock)', {
          cause: error,
        });
      }
    },
    async settle(repository, { paths }, commit) {
      await rm(markerOf(repository), { force: true });
      left = paths.size === 0 ? { commit, key: written } : undefined;
    },
  };
}

function markerOf(repository: Repository): string {
  return path.join(ownFolder(repository), 'staged');
}

/** Git replaces the file whenever it changes it. */
function keyOf({ indexFile }: Repository): string {
  const stat = statSync(indexFile, { throwIfNoEntry: false, bigint: true });
  return stat ? [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ') : '';
}
