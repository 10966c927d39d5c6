import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Git } from './git-command.ts';
import type { Head } from './head.ts';
import type { Repository } from './repository.ts';

/** The place in the repository where a commit is put together, away from the owner's index. */
export interface Workshop {
  /** An index that holds the tree of the head. */
  readonly indexFile: string;
  /** A file for the commit's message. */
  readonly messageFile: string;
  /** Keeps the index for the next commit on top of `tree`. */
  keep(tree: string): Promise<void>;
  /** Does away with what was kept from the last commit. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/** The folder in a repository in which we keep what is ours. */
export function ownFolder({ gitDir }: Repository): string {
  return path.join(gitDir, 'ai-employee');
}

/** Makes an index that equals the head's tree: a copy of the one kept from the last commit, or read anew. */
export async function openWorkshop(git: Git, repository: Repository, head: Head): Promise<Workshop> {
  const home = ownFolder(repository);
  await mkdir(home, { recursive: true });
  // Only one process of this machine works here at a time: whatever lies about was left by a dead one.
  for (const name of await readdir(home)) {
    if (name.startsWith('work-')) await rm(path.join(home, name), { recursive: true, force: true });
  }
  const folder = path.join(home, `work-${randomBytes(6).toString('hex')}`);
  const indexFile = path.join(folder, 'index');
  const kept = path.join(home, `index-${head.tree}`);
  await mkdir(folder);
  if (existsSync(kept)) await copyFile(kept, indexFile);
  else if (head.commit !== undefined) {
    await git.run(['read-tree', head.tree], { env: { GIT_INDEX_FILE: indexFile } });
  }
  return {
    indexFile,
    messageFile: path.join(folder, 'message'),
    async keep(tree) {
      // Git trusts an index that it finds: one that lost its bytes with the power would be taken for empty.
      await toDisk(indexFile);
      await rename(indexFile, path.join(home, `index-${tree}`));
      for (const name of await readdir(home)) {
        if (name.startsWith('index-') && name !== `index-${tree}`) {
          await rm(path.join(home, name), { force: true });
        }
      }
    },
    async forget() {
      await rm(kept, { force: true });
    },
    async close() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function toDisk(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
