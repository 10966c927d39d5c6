import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkHistory } from '#local-agent/git/history-check.ts';
import { GitSettings } from '#local-agent/git/git-settings.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import {
  committedPaths,
  gitEnv,
  homeOf,
  messages,
  ownersGit,
  withHistory,
  wrapGit,
  write,
  writeHook,
} from '#test/support/git-world.ts';
import type { AgentWithHistory } from '#test/support/git-world.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;
let agent: AgentWithHistory;

beforeEach(async () => {
  world = await createLocalWorld();
  agent = withHistory(world);
  write(world, 'Plan.md', 'One\n');
});
afterEach(() => {
  world.dispose();
});

function git(...args: string[]): string {
  return ownersGit(world, args);
}

function tries(args: string[]): void {
  expect(() => ownersGit(world, args)).toThrow();
}

/** Two branches that say different things in Other.md, a file of the owner's that is also synced. */
async function twoBranches(): Promise<void> {
  write(world, 'Other.md', 'base\n');
  await syncVault(agent);
  git('switch', '--quiet', '-c', 'side');
  write(world, 'Other.md', 'side\n');
  git('commit', '--quiet', '-am', 'side');
  git('switch', '--quiet', 'main');
  write(world, 'Other.md', 'main\n');
  git('commit', '--quiet', '-am', 'main');
}

/** The next sync commits nothing, says why, and all the same brings vault and ledger in step. */
async function expectWaiting(why: RegExp): Promise<void> {
  const before = git('rev-parse', '--quiet', '--verify', 'HEAD');
  write(world, 'Plan.md', 'Edited meanwhile\n');
  const report = await syncVault(agent);
  expect(report.pushed).toBeGreaterThan(0);
  expect(git('rev-parse', '--quiet', '--verify', 'HEAD')).toBe(before);
  const status = await agent.history.status();
  expect(status).toMatchObject({ state: 'waiting', why: expect.stringMatching(why) as string });
  expect(status.committedTo).toBeLessThan(report.head);
  expect(agent.lines.join('\n')).toMatch(why);
}

async function expectCaughtUp(): Promise<void> {
  await syncVault(withHistory(world));
  expect(git('show', 'HEAD:Plan.md')).toBe('Edited meanwhile\n');
  const status = await agent.history.status();
  expect(status).toMatchObject({ state: 'ready', committedTo: agent.copy.last() });
}

describe('while something is in progress in the repository, the commit waits and the sync does not', () => {
  it('a merge', async () => {
    await twoBranches();
    tries(['merge', '--quiet', 'side']);
    await expectWaiting(/a merge is in progress.*--abort/);
    expect(existsSync(path.join(world.vault, '.git/MERGE_HEAD'))).toBe(true);
    git('checkout', '--quiet', '--ours', 'Other.md');
    git('add', 'Other.md');
    git('commit', '--quiet', '--no-edit');
    await expectCaughtUp();
  });

  it('a rebase', async () => {
    await twoBranches();
    tries(['rebase', '--quiet', 'side']);
    await expectWaiting(/a rebase is in progress/);
    git('rebase', '--quit');
    git('symbolic-ref', 'HEAD', 'refs/heads/main');
    git('reset', '--quiet');
    await expectCaughtUp();
  });

  it('a cherry-pick', async () => {
    await twoBranches();
    tries(['cherry-pick', 'side']);
    await expectWaiting(/a cherry-pick is in progress/);
    git('cherry-pick', '--quit');
    git('checkout', '--quiet', 'HEAD', '--', 'Other.md');
    await expectCaughtUp();
  });

  it('a detached head', async () => {
    await syncVault(agent);
    git('checkout', '--quiet', '--detach');
    await expectWaiting(/no branch is checked out/);
    git('switch', '--quiet', 'main');
    await expectCaughtUp();
  });

  it('another git command that holds the index', async () => {
    await syncVault(agent);
    writeFileSync(path.join(world.vault, '.git/index.lock'), '');
    await expectWaiting(/another git command is in progress/);
    rmSync(path.join(world.vault, '.git/index.lock'));
    await expectCaughtUp();
  });

  it('a git command that takes the index in the last moment', async () => {
    await syncVault(agent);
    const lock = path.join(world.vault, '.git/index.lock');
    agent = withHistory(world, {}, wrapGit(world, `case "$*" in *commit-tree*) : > '${lock}' ;; esac`).env);
    await expectWaiting(/another git command/);
    rmSync(lock);
    await expectCaughtUp();
  });

  it('a conflict that is left in the index', async () => {
    await twoBranches();
    tries(['cherry-pick', '--no-commit', 'side']);
    rmSync(path.join(world.vault, '.git/CHERRY_PICK_HEAD'), { force: true });
    await expectWaiting(/a conflict in the vault's Git index is unresolved/);
    git('checkout', '--quiet', '--ours', 'Other.md');
    git('add', 'Other.md');
    await expectCaughtUp();
  });

  it('a branch that somebody else moved between the look and the commit', async () => {
    await syncVault(agent);
    // The owner commits at the very moment at which this machine is about to.
    const mine = '"$REAL" -c user.name=R -c user.email=r@e commit-tree -p HEAD -m mine "HEAD^{tree}"';
    const race = `case "$*" in *update-ref*) "$REAL" update-ref refs/heads/main "$(${mine})" ;; esac`;
    agent = withHistory(world, {}, wrapGit(world, race).env);
    write(world, 'Plan.md', 'Edited meanwhile\n');
    await syncVault(agent);
    expect((await agent.history.status()).why).toMatch(/the branch moved meanwhile/);
    await expectCaughtUp();
    expect(messages(world).map((message) => message.split('\n')[0])).toEqual([
      'vault(local): edit Plan.md',
      'mine',
      'vault(local): add Plan.md',
    ]);
  });

  it('what waits is not tried again at every pass, and soon after a change', async () => {
    await syncVault(agent);
    git('checkout', '--quiet', '--detach');
    const { env, commands } = wrapGit(world);
    agent = withHistory(world, {}, env);
    write(world, 'Plan.md', 'Edited meanwhile\n');
    await syncVault(agent);
    const after = commands().length;
    for (let pass = 0; pass < 5; pass++) await syncVault(agent);
    expect(commands().length).toBe(after);
    world.clock.advance(1_000);
    await syncVault(agent);
    expect(commands().length).toBeGreaterThan(after);
    expect(agent.lines).toHaveLength(1);
    git('switch', '--quiet', 'main');
    world.clock.advance(2_000);
    await syncVault(agent);
    expect(git('show', 'HEAD:Plan.md')).toBe('Edited meanwhile\n');
    expect(agent.lines.at(-1)).toBe('history: committing again');
  });
});

describe('where no history can be kept, all else goes on', () => {
  async function expectOff(why: RegExp): Promise<void> {
    const report = await syncVault(agent);
    expect(report.pushed).toBeGreaterThan(0);
    expect(await agent.history.status()).toMatchObject({
      state: 'off',
      why: expect.stringMatching(why) as string,
    });
  }

  it('without git', async () => {
    agent = withHistory(world, {}, { PATH: homeOf(world) });
    await expectOff(/git was not found/);
    await expect(checkHistory(world.vault, GitSettings.parse({}), { PATH: homeOf(world) })).rejects.toThrow(
      'not found',
    );
  });

  it('with a git that is too old', async () => {
    agent = withHistory(
      world,
      {},
      wrapGit(world, 'case "$*" in *--version*) echo git version 2.29.9; exit ;; esac').env,
    );
    await expectOff(/git 2\.29 is too old/);
    expect(existsSync(path.join(world.vault, '.git'))).toBe(false);
  });

  it('inside a larger repository: that is left alone', async () => {
    const outer = path.dirname(world.vault);
    git('init', '--quiet', outer);
    await expectOff(/lies inside the repository .*left to you.*"git init"/);
    expect(existsSync(path.join(world.vault, '.git'))).toBe(false);
    expect(() => ownersGit(world, ['rev-parse', '--verify', 'HEAD'], outer)).toThrow();
    git('init', '--quiet');
    agent = withHistory(world);
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['Plan.md']);
  });

  it('but in a folder that a larger repository ignores it has one of its own', async () => {
    const outer = path.dirname(world.vault);
    ownersGit(world, ['init', '--quiet'], outer);
    writeFileSync(path.join(outer, '.gitignore'), '*\n');
    ownersGit(world, ['commit', '--quiet', '--allow-empty', '-m', 'theirs'], outer);
    await syncVault(agent);
    expect(await agent.history.status()).toMatchObject({ state: 'ready', branch: 'main' });
    expect(committedPaths(world)).toEqual(['Plan.md']);
    expect(ownersGit(world, ['log', '--format=%s'], outer)).toBe('theirs\n');
  });

  it('in a bare repository', async () => {
    git('init', '--quiet');
    git('config', 'core.bare', 'true');
    await syncVault(agent);
    expect((await agent.history.status()).why).toMatch(/bare/);
  });

  it.runIf(process.getuid?.() === 0)(
    'in a repository of another user, which git does not trust',
    async () => {
      git('init', '--quiet');
      for (const name of ['.', '.git']) chownSync(path.join(world.vault, name), 65534, 65534);
      await syncVault(agent);
      expect((await agent.history.status()).why).toMatch(/another user.*safe\.directory/);
      git('config', '--global', 'safe.directory', world.vault);
      await syncVault(withHistory(world));
      expect(committedPaths(world)).toEqual(['Plan.md']);
    },
  );

  it('with a damaged repository, which is not made anew over it', async () => {
    await syncVault(agent);
    writeFileSync(path.join(world.vault, '.git/HEAD'), 'nonsense');
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    expect((await agent.history.status()).why).toMatch(/damaged/);
    expect(readFileSync(path.join(world.vault, '.git/HEAD'), 'utf8')).toBe('nonsense');
  });

  it('doctor says what is in the way, and what is there', async () => {
    const env = gitEnv(homeOf(world));
    const settings = GitSettings.parse({});
    expect(await checkHistory(world.vault, settings, env)).toContain('the first sync makes it');
    await syncVault(agent);
    expect(await checkHistory(world.vault, settings, env)).toMatch(/\.git, main$/);
    expect(await checkHistory(world.vault, GitSettings.parse({ enabled: false }), env)).toContain('off');
    git('checkout', '--quiet', '--detach');
    await expect(checkHistory(world.vault, settings, env)).rejects.toThrow('no branch is checked out');
  });
});

describe("the owner's hooks", () => {
  it('run around each commit, as "git commit" runs them', async () => {
    await syncVault(agent);
    const seen = path.join(homeOf(world), 'seen');
    writeHook(world, 'pre-commit', `echo "pre-commit $(pwd) $(git diff --cached --name-only)" >> '${seen}'`);
    writeHook(world, 'prepare-commit-msg', `echo "prepare-commit-msg $2" >> '${seen}'`);
    writeHook(world, 'commit-msg', `echo "Reviewed-by: hook" >> "$1"; echo "commit-msg" >> '${seen}'`);
    writeHook(world, 'post-commit', `echo "post-commit $(git log -1 --format=%s)" >> '${seen}'`);
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    expect(readFileSync(seen, 'utf8').trim().split('\n')).toEqual([
      `pre-commit ${world.vault} Plan.md`,
      'prepare-commit-msg message',
      'commit-msg',
      'post-commit vault(local): edit Plan.md',
    ]);
    expect(messages(world)[0]).toContain('Reviewed-by: hook');
  });

  it('a pre-commit hook that says no makes the commit wait, and its words are shown', async () => {
    await syncVault(agent);
    writeHook(world, 'pre-commit', 'echo "no commits on Sundays" >&2; exit 1');
    await expectWaiting(/your pre-commit hook refused the commit: no commits on Sundays/);
    expect(git('diff', '--cached', '--name-only')).toBe('');
    rmSync(path.join(world.vault, '.git/hooks/pre-commit'));
    await expectCaughtUp();
  });

  it('a commit-msg hook that says no does so as well', async () => {
    await syncVault(agent);
    writeHook(
      world,
      'commit-msg',
      'grep -q JIRA "$1" || { echo "name a ticket"; echo "name a ticket" >&2; exit 1; }',
    );
    await expectWaiting(/your commit-msg hook refused the commit: name a ticket/);
  });

  it('hooks that the owner keeps elsewhere (core.hooksPath) run', async () => {
    await syncVault(agent);
    git('config', 'core.hooksPath', path.join(homeOf(world), 'hooks'));
    writeHook(world, 'pre-commit', 'exit 1', path.join(homeOf(world), 'hooks'));
    await expectWaiting(/your pre-commit hook refused/);
  });

  it('what a pre-commit hook adds to the commit is in it', async () => {
    await syncVault(agent);
    writeHook(world, 'pre-commit', 'git diff --cached --name-only > .changed; git add -f .changed');
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    expect(git('show', 'HEAD:.changed')).toBe('Plan.md\n');
    expect(git('status', '--porcelain', '--untracked-files=no')).toBe('');
  });

  it('a hook that leaves a process behind holds nothing up', async () => {
    await syncVault(agent);
    writeHook(world, 'post-commit', 'sleep 60 & echo $! > .git/left-behind');
    write(world, 'Plan.md', 'Two\n');
    const started = performance.now();
    await syncVault(agent);
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(git('show', 'HEAD:Plan.md')).toBe('Two\n');
    process.kill(Number(readFileSync(path.join(world.vault, '.git/left-behind'), 'utf8')));
  });

  it('with a git that cannot run hooks for others, the commit waits where there are some', async () => {
    await syncVault(agent);
    writeHook(world, 'pre-commit', 'true');
    agent = withHistory(
      world,
      {},
      wrapGit(world, 'case "$*" in *--version*) echo git version 2.34.1; exit ;; esac').env,
    );
    await expectWaiting(/need git 2\.36/);
  });
});

describe('signing', () => {
  it('a commit that cannot be signed without asking waits', async () => {
    await syncVault(agent);
    git('config', 'commit.gpgSign', 'true');
    git('config', 'gpg.program', path.join(homeOf(world), 'no-gpg'));
    await expectWaiting(/could not be signed.*commit\.gpgSign false/);
    git('config', 'commit.gpgSign', 'false');
    await expectCaughtUp();
  });

  it("with the owner's setting and a key at hand, commits are signed", async () => {
    await syncVault(agent);
    const gpg = path.join(homeOf(world), 'gpg');
    mkdirSync(homeOf(world), { recursive: true });
    // Speaks as gpg does: the status on file descriptor 2, the signature on standard output.
    writeFileSync(
      gpg,
      '#!/bin/sh\ncat > /dev/null\necho "[GNUPG:] SIG_CREATED D" >&2\necho "-----BEGIN PGP SIGNATURE-----"\necho x\necho "-----END PGP SIGNATURE-----"\n',
      { mode: 0o755 },
    );
    git('config', 'commit.gpgSign', 'true');
    git('config', 'gpg.program', gpg);
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    expect(git('cat-file', 'commit', 'HEAD')).toContain('-----BEGIN PGP SIGNATURE-----');
  });
});

it('nothing of its own is left behind in the repository but the index for the next time', async () => {
  await syncVault(agent);
  write(world, 'Plan.md', 'Two\n');
  await syncVault(agent);
  expect(readdirSync(path.join(world.vault, '.git/ai-employee'))).toEqual([
    expect.stringMatching(/^index-[0-9a-f]{40}$/),
  ]);
});
