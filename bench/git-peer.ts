import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Git repository over a folder, with a bare one on the same disk as its remote. */
export interface GitPeer {
  /** `git add`, `git commit`, `git push`. */
  commitAndPush(message: string): Promise<void>;
  status(): Promise<void>;
  /** Clones the remote into a folder that does not exist. */
  clone(folder: string): Promise<void>;
}

/** Makes both repositories. Neither the owner's settings nor hooks play a part. */
export async function createGitPeer(folder: string, remote: string): Promise<GitPeer> {
  const env = {
    PATH: process.env['PATH'],
    HOME: path.dirname(remote),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'bench',
    GIT_AUTHOR_EMAIL: 'bench@example.com',
    GIT_COMMITTER_NAME: 'bench',
    GIT_COMMITTER_EMAIL: 'bench@example.com',
  };
  const git = async (...args: string[]): Promise<void> => {
    await run('git', args, { env, cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  };
  mkdirSync(folder, { recursive: true });
  await git('init', '--quiet', '--initial-branch=main');
  await git('init', '--quiet', '--bare', '--initial-branch=main', remote);
  await git('remote', 'add', 'origin', remote);
  return {
    commitAndPush: async (message) => {
      await git('add', '--all');
      await git('commit', '--quiet', '--message', message);
      await git('push', '--quiet', 'origin', 'main');
    },
    status: () => git('status', '--short'),
    clone: (target) => git('clone', '--quiet', remote, target),
  };
}
