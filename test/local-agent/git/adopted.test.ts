import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { syncVault } from '#local-agent/sync/sync.ts';
import { committedPaths, homeOf, ownersGit, withHistory, write } from '#test/support/git-world.ts';
import type { AgentWithHistory } from '#test/support/git-world.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;
let agent: AgentWithHistory;

beforeEach(async () => {
  world = await createLocalWorld();
  agent = withHistory(world);
});
afterEach(() => {
  world.dispose();
});

function git(...args: string[]): string {
  return ownersGit(world, args);
}

/** What is said of the files that are not in Git. */
async function leftOut(): Promise<Record<string, string>> {
  const { state, leftOut: found } = await agent.history.status();
  expect(state).toBe('ready');
  return Object.fromEntries(found.map(({ path: at, why }) => [at, why]));
}

/** The owner's repository, with another one as a submodule of it, staged. */
function addSubmodule(): void {
  const library = path.join(homeOf(world), 'library');
  mkdirSync(library, { recursive: true });
  ownersGit(world, ['init', '--quiet'], library);
  writeFileSync(path.join(library, 'Recipe.md'), 'flour\n');
  ownersGit(world, ['add', '.'], library);
  ownersGit(world, ['commit', '--quiet', '-m', 'first'], library);
  git('init', '--quiet');
  git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'Recipes/library');
}

describe('a submodule of the owner', () => {
  it.each(['committed', 'only staged'])('that is %s stays one, and keeps no other file', async (state) => {
    addSubmodule();
    if (state === 'committed') git('commit', '--quiet', '-m', 'with a submodule');
    write(world, 'Plan.md', 'One\n');
    write(world, 'Recipes/Bread.md', 'flour\n');
    write(world, 'Recipes/library/Cake.md', 'eggs\n');
    const staged = git('ls-files', '--stage', 'Recipes/library');
    await syncVault(agent);
    expect(git('ls-files', '--stage', 'Recipes/library')).toBe(staged);
    expect(git('show', 'HEAD:Plan.md')).toBe('One\n');
    const committed = state === 'committed' ? ['Recipes/library'] : [];
    expect(committedPaths(world).filter((at) => at !== '.gitmodules')).toEqual([
      'Plan.md',
      'Recipes/Bread.md',
      ...committed,
    ]);
    const why = 'it lies in the submodule Recipes/library, which has a history of its own';
    expect(await leftOut()).toEqual({ 'Recipes/library/Cake.md': why, 'Recipes/library/Recipe.md': why });
    // It is synced all the same.
    expect([...agent.session.state.files.keys()]).toContain('Recipes/library/Cake.md');
  });

  it('that is not populated stays one as well', async () => {
    addSubmodule();
    git('commit', '--quiet', '-m', 'with a submodule');
    git('submodule', '--quiet', 'deinit', '--force', 'Recipes/library');
    write(world, 'Recipes/library/Cake.md', 'eggs\n');
    await syncVault(agent);
    expect(git('ls-tree', 'HEAD', 'Recipes/library')).toMatch(/^160000/);
    expect(Object.keys(await leftOut())).toEqual(['Recipes/library/Cake.md']);
  });
});

it('a folder that the owner put elsewhere, with a link in its place, keeps no other file', async () => {
  write(world, 'Notes/a.md', 'a\n');
  await syncVault(agent);
  rmSync(path.join(world.vault, '.git'), { recursive: true });
  const elsewhere = path.join(homeOf(world), 'Notes');
  renameSync(path.join(world.vault, 'Notes'), elsewhere);
  symlinkSync(elsewhere, path.join(world.vault, 'Notes'));
  write(world, 'Plan.md', 'One\n');
  await syncVault(agent);
  expect(committedPaths(world)).toEqual(['Plan.md']);
  expect(await leftOut()).toEqual({ 'Notes/a.md': 'the folder Notes is a link' });
  rmSync(path.join(world.vault, 'Notes'));
  renameSync(elsewhere, path.join(world.vault, 'Notes'));
  write(world, 'Plan.md', 'Two\n');
  await syncVault(agent);
  expect(committedPaths(world)).toEqual(['Notes/a.md', 'Plan.md']);
  expect(await leftOut()).toEqual({});
});

describe('a file that the settings of the owner refuse is named, and keeps no other file', () => {
  it('a filter that is not installed', async () => {
    git('init', '--quiet');
    git('config', 'filter.lfs.clean', 'no-such-program clean');
    git('config', 'filter.lfs.required', 'true');
    write(world, '.gitattributes', '*.big filter=lfs\n');
    write(world, 'a.big', 'big\n');
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['Plan.md']);
    expect((await leftOut())['a.big']).toMatch(/^your Git settings refuse it: .*external filter/);
    // Once it is, the file comes with the next commit.
    git('config', 'filter.lfs.clean', 'tr a-z A-Z');
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    expect(git('show', 'HEAD:a.big')).toBe('BIG\n');
    expect(await leftOut()).toEqual({});
  });

  it('line ends that could not be had back (core.safecrlf)', async () => {
    git('init', '--quiet');
    git('config', 'core.autocrlf', 'Input');
    git('config', 'core.safecrlf', 'true');
    write(world, 'dos.md', 'a\r\nb\r\n');
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['Plan.md']);
    expect((await leftOut())['dos.md']).toContain('CRLF would be replaced');
  });
});

it.each(['true', 'True', 'YES', 'on', '1'])('commit.gpgSign = %s means yes', async (value) => {
  git('init', '--quiet');
  git('config', 'commit.gpgSign', value);
  git('config', 'gpg.program', path.join(homeOf(world), 'no-gpg'));
  write(world, 'Plan.md', 'One\n');
  await syncVault(agent);
  expect((await agent.history.status()).why).toContain('could not be signed');
});

it('an owner who wants no name made up (user.useConfigOnly) gets the name of the machine', async () => {
  git('init', '--quiet');
  git('config', 'user.useConfigOnly', 'true');
  write(world, 'Plan.md', 'One\n');
  await syncVault(agent);
  expect(git('log', '--format=%cn').trim()).toBe('AI Employee (laptop)');
});

it.each([0, 40])(
  'an index of ours that was cut to %i bytes, with the power, is made anew',
  async (sizeBytes) => {
    write(world, 'Plan.md', 'One\n');
    write(world, 'Other.md', 'Other\n');
    await syncVault(agent);
    const folder = path.join(world.vault, '.git/ai-employee');
    for (const name of readdirSync(folder)) truncateSync(path.join(folder, name), sizeBytes);
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    world.clock.advance(1_000);
    await syncVault(agent);
    expect(git('show', 'HEAD:Plan.md')).toBe('Two\n');
    expect(committedPaths(world)).toEqual(['Other.md', 'Plan.md']);
    expect(await leftOut()).toEqual({});
  },
);

it('an index in parts (core.splitIndex) is made anew when the parts are gone', async () => {
  git('init', '--quiet');
  git('config', 'core.splitIndex', 'true');
  write(world, 'Plan.md', 'One\n');
  await syncVault(agent);
  for (const name of readdirSync(path.join(world.vault, '.git'))) {
    if (name.startsWith('sharedindex.')) rmSync(path.join(world.vault, '.git', name));
  }
  rmSync(path.join(world.vault, '.git/index'));
  write(world, 'Plan.md', 'Two\n');
  await syncVault(agent);
  world.clock.advance(1_000);
  await syncVault(agent);
  expect(git('show', 'HEAD:Plan.md')).toBe('Two\n');
});
