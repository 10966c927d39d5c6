import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { checkHistory } from '#local-agent/git/history-check.ts';
import { GitSettings } from '#local-agent/git/git-settings.ts';
import type { PushStatus } from '#local-agent/git/history.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import {
  gitEnv,
  homeOf,
  ownersGit,
  withHistory,
  wrapGit,
  write,
  writeHook,
} from '#test/support/git-world.ts';
import type { AgentWithHistory } from '#test/support/git-world.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

const SECRET = `AKIA${'Z2XY'.repeat(4)}`;
const MINUTE_MS = 60_000;

let world: LocalWorld;
let agent: AgentWithHistory;
let remote: string;
let signal: AbortSignal;

beforeEach(async () => {
  world = await createLocalWorld();
  signal = new AbortController().signal;
  remote = path.join(homeOf(world), 'remote.git');
  ownersGit(world, ['init', '--quiet', '--bare', remote], path.dirname(world.vault));
  agent = withHistory(world, { remote });
});
afterEach(() => {
  world.dispose();
});

function git(...args: string[]): string {
  return ownersGit(world, args);
}

function head(): string {
  return git('rev-parse', 'HEAD').trim();
}

/** The tip of a branch of the remote, or '' without one. */
function there(branch = 'laptop'): string {
  return ownersGit(world, ['ls-remote', remote, `refs/heads/${branch}`]).split('\t')[0] ?? '';
}

async function edit(text: string): Promise<void> {
  write(world, 'Plan.md', text);
  await syncVault(agent);
}

async function pushed(): Promise<PushStatus> {
  await agent.history.background(signal);
  const { push } = await agent.history.status();
  if (!push) throw new Error('nothing is said of pushing');
  return push;
}

it('pushes the commits under the name of the machine, and again when the interval has passed', async () => {
  await edit('One\n');
  expect(await pushed()).toMatchObject({ branch: 'laptop', ahead: 0, lastPushAt: world.clock.now() });
  expect(there()).toBe(head());
  await edit('Two\n');
  expect(await pushed()).toMatchObject({ ahead: 1 });
  world.clock.advance(15 * MINUTE_MS);
  expect(await pushed()).toMatchObject({ ahead: 0, lastPushAt: world.clock.now() });
  expect(there()).toBe(head());
});

it('calls nobody when there is nothing new', async () => {
  const { env, commands } = wrapGit(world);
  agent = withHistory(world, { remote }, env);
  await edit('One\n');
  await pushed();
  world.clock.advance(15 * MINUTE_MS);
  await pushed();
  expect(commands().filter((command) => command.includes(' push '))).toHaveLength(1);
});

it('a remote of the repository is named as the owner named it, and its branch as the config says', async () => {
  git('init', '--quiet');
  git('remote', 'add', 'backup', remote);
  agent = withHistory(world, { remote: 'backup', branch: 'main' });
  await edit('One\n');
  expect(await pushed()).toMatchObject({ remote: 'backup', branch: 'main', ahead: 0 });
  expect(there('main')).toBe(head());
});

it('never overwrites what the remote has: it says so and what to do', async () => {
  await edit('One\n');
  await pushed();
  const clone = path.join(homeOf(world), 'clone');
  ownersGit(world, ['clone', '--quiet', '--branch', 'laptop', remote, clone], homeOf(world));
  ownersGit(world, ['commit', '--quiet', '--allow-empty', '-m', 'theirs'], clone);
  ownersGit(world, ['push', '--quiet', 'origin', 'laptop'], clone);
  const theirs = there();
  await edit('Two\n');
  world.clock.advance(15 * MINUTE_MS);
  expect(await pushed()).toMatchObject({
    ahead: 1,
    error: expect.stringContaining('nothing is ever overwritten') as string,
  });
  expect(there()).toBe(theirs);
  git('pull', '--quiet', '--no-rebase', '--no-edit', remote, 'laptop');
  world.clock.advance(MINUTE_MS);
  expect((await pushed()).error).toBeUndefined();
  expect(there()).toBe(head());
  expect(agent.lines.at(-1)).toBe('history: pushing again');
});

it('a remote that is not there is tried again later and later, and the sync goes on', async () => {
  agent = withHistory(world, { remote: path.join(homeOf(world), 'nowhere.git') });
  await edit('One\n');
  const { env, commands } = wrapGit(world);
  agent = withHistory(world, { remote: path.join(homeOf(world), 'nowhere.git') }, env);
  const waits: number[] = [];
  for (let round = 0; round < 12; round++) {
    const { error, nextTryAt, ahead } = await pushed();
    expect(error).toContain('check "git.remote"');
    expect(ahead).toBe(1);
    const waitMs = Date.parse(nextTryAt ?? '') - Date.parse(world.clock.now());
    waits.push(waitMs / MINUTE_MS);
    const before = commands().length;
    world.clock.advance(waitMs - 1);
    await agent.history.background(signal);
    const tried = commands()
      .slice(before)
      .filter((command) => command.includes(' push '));
    expect(tried).toEqual([]);
    world.clock.advance(1);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240, 240]);
  // The same reason is told once.
  expect(agent.lines).toHaveLength(1);
  await edit('Two\n');
  expect(git('show', 'HEAD:Plan.md')).toBe('Two\n');
});

it('no network is said in plain words', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  agent = withHistory(world, { remote: `http://127.0.0.1:${port}/vault.git` });
  await edit('One\n');
  expect((await pushed()).error).toMatch(/^no connection to http/);
});

it('a remote that asks for a password is told apart, and nobody is asked', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const asked = path.join(homeOf(world), 'asked');
    const askpass = path.join(homeOf(world), 'askpass');
    writeFileSync(askpass, `#!/bin/sh\n: > '${asked}'\necho x\n`, { mode: 0o755 });
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/vault.git`;
    agent = withHistory(
      world,
      { remote: address },
      { GIT_ASKPASS: askpass, SSH_ASKPASS: askpass, DISPLAY: ':0' },
    );
    await edit('One\n');
    expect((await pushed()).error).toMatch(/did not let this machine in, and nobody is asked for a password/);
    expect(existsSync(asked)).toBe(false);
    const env = gitEnv(homeOf(world));
    await expect(checkHistory(world.vault, GitSettings.parse({ remote: address }), env)).rejects.toThrow(
      'did not let',
    );
    expect(await checkHistory(world.vault, GitSettings.parse({ remote }), env)).toContain('answers');
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

it('ssh is run so that it cannot ask, with the options of the owner', async () => {
  const seen = path.join(homeOf(world), 'ssh.log');
  const ssh = path.join(homeOf(world), 'ssh');
  writeFileSync(
    ssh,
    `#!/bin/sh\necho "$*" >> '${seen}'\necho "Permission denied (publickey)." >&2\nexit 255\n`,
    { mode: 0o755 },
  );
  agent = withHistory(
    world,
    { remote: 'git@vault.example:robin/vault.git' },
    { GIT_SSH_COMMAND: `${ssh} -i key` },
  );
  await edit('One\n');
  expect((await pushed()).error).toMatch(/did not let this machine in/);
  expect(readFileSync(seen, 'utf8')).toMatch(/-i key -oBatchMode=yes/);
});

it("a pre-push hook of the owner and the remote's own rules are respected", async () => {
  await edit('One\n');
  writeHook(world, 'pre-push', 'echo "not today" >&2; exit 1');
  expect((await pushed()).error).toMatch(/pre-push hook refused|not today|failed to push/);
  rmSync(path.join(world.vault, '.git/hooks/pre-push'));
  writeHook(world, 'pre-receive', 'echo "closed on Sundays" >&2; exit 1', path.join(remote, 'hooks'));
  world.clock.advance(MINUTE_MS);
  expect((await pushed()).error).toMatch(/refused the push: .*pre-receive hook declined/);
  expect(there()).toBe('');
});

it.each([
  ['a file with a name of secrets', 'old/.env', 'KEY=1\n'],
  ['a file with a credential in it', 'old/notes.md', `the key is ${SECRET}\n`],
  [
    'a credential deep in a large file',
    'old/dump.bin',
    `${'x'.repeat(9_000_000)}\n${SECRET}\n${'y'.repeat(9_000_000)}`,
  ],
])('refuses to push a history that holds %s, and names commit and path', async (_what, at, text) => {
  git('init', '--quiet');
  write(world, at, text);
  git('add', '--force', at);
  git('commit', '--quiet', '-m', 'long ago');
  const commit = head();
  rmSync(path.join(world.vault, at));
  git('commit', '--quiet', '-am', 'removed again');
  await edit('One\n');
  const { error } = await pushed();
  expect(error).toContain(`commit ${commit.slice(0, 10)} holds ${at}`);
  expect(error).not.toContain(SECRET);
  expect(there()).toBe('');
});

it('a secret in one branch of a merge, and one that only the merge itself brings, are found', async () => {
  await edit('One\n');
  git('switch', '--quiet', '-c', 'side');
  git('commit', '--quiet', '--allow-empty', '-m', 'side');
  git('switch', '--quiet', 'main');
  git('commit', '--quiet', '--allow-empty', '-m', 'main');
  git('merge', '--quiet', '--no-commit', '--no-ff', 'side');
  write(world, 'evil.md', `${SECRET}\n`);
  git('add', 'evil.md');
  git('commit', '--quiet', '-m', 'merge');
  expect((await pushed()).error).toContain(`commit ${head().slice(0, 10)} holds evil.md`);
});

it('what "git replace" hides here is looked at all the same: a push would send it', async () => {
  git('init', '--quiet');
  write(world, 'old/.env', 'KEY=1\n');
  git('add', '--force', 'old/.env');
  git('commit', '--quiet', '-m', 'long ago');
  const commit = head();
  git('rm', '--quiet', '-r', 'old');
  git('commit', '--quiet', '-m', 'removed again');
  git('replace', '--graft', 'HEAD');
  await edit('One\n');
  expect((await pushed()).error).toContain(`commit ${commit.slice(0, 10)} holds old/.env`);
  expect(there()).toBe('');
});

it('a credential in the message of a commit, or in a name, stops the push', async () => {
  await edit('One\n');
  git('commit', '--quiet', '--allow-empty', '-m', `try it with ${SECRET}`);
  const { error } = await pushed();
  expect(error).toContain(`commit ${head().slice(0, 10)} has a message that must not go out`);
  expect(error).not.toContain(SECRET);
  git('commit', '--quiet', '--amend', '--allow-empty', '-m', 'try it');
  write(world, `Done/${SECRET}.txt`, 'x\n');
  git('add', '.');
  git('commit', '--quiet', '-m', 'more');
  world.clock.advance(MINUTE_MS);
  expect((await pushed()).error).toContain('its name holds what looks like an AWS access key id');
  expect(there()).toBe('');
});

it('what is only remembered of the remote, and gone there, is looked at', async () => {
  git('init', '--quiet');
  git('remote', 'add', 'origin', remote);
  write(world, '.env', 'KEY=1\n');
  git('add', '--force', '.env');
  git('commit', '--quiet', '-m', 'long ago');
  git('push', '--quiet', 'origin', 'HEAD:refs/heads/oops');
  ownersGit(world, ['update-ref', '-d', 'refs/heads/oops'], remote);
  agent = withHistory(world, { remote: 'origin' });
  await edit('One\n');
  expect((await pushed()).error).toContain('holds .env');
  expect(there()).toBe('');
});

it('a remote that is pushed to elsewhere than it is fetched from is asked there', async () => {
  git('init', '--quiet');
  git('remote', 'add', 'origin', remote);
  write(world, '.env', 'KEY=1\n');
  git('add', '--force', '.env');
  git('commit', '--quiet', '-m', 'long ago');
  git('push', '--quiet', 'origin', 'HEAD:refs/heads/laptop');
  const other = path.join(homeOf(world), 'other.git');
  git('init', '--quiet', '--bare', other);
  git('remote', 'set-url', '--push', 'origin', other);
  agent = withHistory(world, { remote: 'origin' });
  await edit('One\n');
  expect((await pushed()).error).toContain('holds .env');
  expect(ownersGit(world, ['ls-remote', other])).toBe('');
});

it('while no branch is checked out, or a merge is in progress, nothing is pushed and nothing is wrong', async () => {
  await edit('One\n');
  await edit('Two\n');
  await pushed();
  const tip = there();
  git('checkout', '--quiet', '--detach', 'HEAD~1');
  git('commit', '--quiet', '--allow-empty', '-m', 'on no branch');
  world.clock.advance(15 * MINUTE_MS);
  await agent.history.background(signal);
  expect(there()).toBe(tip);
  expect(agent.lines).toEqual([]);
  git('switch', '--quiet', '--force', 'main');
  git('commit', '--quiet', '--allow-empty', '-m', 'on the branch again');
  world.clock.advance(MINUTE_MS);
  expect(await pushed()).toMatchObject({ ahead: 0 });
  expect(there()).toBe(head());
  // An earlier state of the branch has nothing that the remote lacks.
  git('switch', '--quiet', '--force-create', 'main', 'HEAD~1');
  world.clock.advance(15 * MINUTE_MS);
  expect((await pushed()).error).toBeUndefined();
});

it('a clock that was years ahead once does not keep pushes back for years', async () => {
  const now = Date.parse(world.clock.now());
  const copy = agent.copy;
  await edit('One\n');
  const later = new Date(now + 3 * 365 * 24 * 60 * MINUTE_MS).toISOString();
  copy.setFact('git.push', JSON.stringify({ to: `${remote} laptop`, failures: 0, nextTryAt: later }));
  await agent.history.background(signal);
  expect(there()).toBe(head());
});

it("submodules are not pushed along, whatever the owner's settings say of them", async () => {
  const { env, commands } = wrapGit(world);
  git('init', '--quiet');
  git('config', 'push.recurseSubmodules', 'on-demand');
  agent = withHistory(world, { remote }, env);
  await edit('One\n');
  expect(await pushed()).toMatchObject({ ahead: 0 });
  expect(commands().join('\n')).toContain('--recurse-submodules=no');
});

it('what the remote has already is not looked at again', async () => {
  git('init', '--quiet');
  git('remote', 'add', 'origin', remote);
  write(world, '.env', 'KEY=1\n');
  git('add', '--force', '.env');
  git('commit', '--quiet', '-m', 'long ago');
  git('push', '--quiet', 'origin', 'HEAD:refs/heads/laptop');
  agent = withHistory(world, { remote: 'origin' });
  await edit('One\n');
  expect((await pushed()).error).toBeUndefined();
  expect(there()).toBe(head());
});

it('two at once are one, and an end that comes in between stops it', async () => {
  const { env, commands } = wrapGit(world);
  agent = withHistory(world, { remote }, env);
  await edit('One\n');
  await Promise.all([agent.history.background(signal), agent.history.background(signal)]);
  expect(commands().filter((command) => command.includes(' push '))).toHaveLength(1);

  await edit('Two\n');
  world.clock.advance(15 * MINUTE_MS);
  const stuck = wrapGit(world, 'case "$*" in *" push "*) sleep 300 ;; esac');
  agent = withHistory(world, { remote }, stuck.env);
  const stop = new AbortController();
  const running = agent.history.background(stop.signal);
  await vi.waitFor(() => expect(stuck.commands().join('\n')).toContain(' push '), 15_000);
  stop.abort();
  await running;
  expect(there()).not.toBe(head());
  expect((await agent.history.status()).push).toMatchObject({ ahead: 1 });
});

it('nothing is pushed where no remote is named', async () => {
  agent = withHistory(world);
  await edit('One\n');
  await agent.history.background(signal);
  expect((await agent.history.status()).push).toBeUndefined();
});
