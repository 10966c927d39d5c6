import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { excludeLines } from '#local-agent/git/exclude.ts';
import { GitSettings } from '#local-agent/git/git-settings.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import { notePath } from '#protocol/vault-state.ts';
import { withheldPath } from '#protocol/withheld.ts';
import { committedPaths, homeOf, ownersGit, withHistory, write } from '#test/support/git-world.ts';
import type { AgentWithHistory } from '#test/support/git-world.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

/** Made up, and put together here so that no scanner takes this file for a leak. */
const SECRET = `AKIA${'Z2XY'.repeat(4)}`;

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

/** Everything that any object of the repository holds. */
function allObjects(): string {
  const ids = git('cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype)')
    .trim()
    .split('\n');
  return ids
    .filter((line) => line.endsWith('blob'))
    .map((line) => git('cat-file', 'blob', line.split(' ')[0] ?? ''))
    .join('\n');
}

describe('what is withheld never gets into Git', () => {
  it('by its name, by what is in it, or as a link', async () => {
    write(world, 'Plan.md', 'One\n');
    write(world, 'my-credentials.txt', 'by its name\n');
    write(world, 'Secrets/list.md', 'by its folder\n');
    write(world, 'Notes/cloud.md', `key ${SECRET}\n`);
    writeFileSync(path.join(homeOf(world), 'outside'), 'by the link\n');
    symlinkSync(path.join(homeOf(world), 'outside'), path.join(world.vault, 'link.md'));
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['Plan.md']);
    expect(allObjects()).toBe('One\n');
  });

  it('in a note that arrives with one in the mail that it quotes', async () => {
    const taskId = await world.draft('lunch', `Here is the key: ${SECRET}`);
    await syncVault(agent);
    const note = notePath(agent.session.state.tasks.get(taskId) ?? { state: 'received' }) ?? '';
    expect(committedPaths(world)).not.toContain(note);
    expect(allObjects()).not.toContain(SECRET);
    const { leftOut } = await agent.history.status();
    expect(leftOut).toEqual([{ path: note, why: expect.stringContaining('an AWS access key') as string }]);
    expect(JSON.stringify(leftOut)).not.toContain(SECRET);
  });

  it('when a file that was committed becomes one: it is named, and what was before stays', async () => {
    const taskId = await world.draft('lunch', 'Nothing in it.');
    await syncVault(agent);
    const task = agent.session.state.tasks.get(taskId);
    const note = task && notePath(task);
    if (!task?.note || note === undefined) throw new Error('there is no note');
    const before = git('show', `HEAD:${note}`);
    const text = before.replace('Nothing in it.', `Take ${SECRET}`);
    // As another machine of the owner would, with an older filter perhaps: the ledger has it, Git must not.
    const content = { sha256: sha256Hex(text), sizeBytes: Buffer.byteLength(text), text };
    const change = {
      taskId,
      epoch: task.epoch,
      event: 'edited',
      note: { name: task.note.name, content },
    } as const;
    await world.forge('local', { kind: 'task', changes: [change] });
    await syncVault(agent);
    expect(readFileSync(path.join(world.vault, note), 'utf8')).toBe(text);
    expect(git('show', `HEAD:${note}`)).toBe(before);
    expect(allObjects()).not.toContain(SECRET);
    expect((await agent.history.status()).leftOut).toEqual([
      {
        path: note,
        why: expect.stringMatching(/an AWS access key.*an earlier version is in the history/) as string,
      },
    ]);
  });

  it('when it is put in the place of a file between the sync and the commit', async () => {
    write(world, 'Plan.md', 'One\n');
    const { history: _history, ...without } = agent;
    await syncVault(without);
    write(world, 'Plan.md', `Changed to ${SECRET}\n`);
    await agent.history.commit([]);
    expect(allObjects()).not.toContain(SECRET);
    // A link in its place is no way around either.
    rmSync(path.join(world.vault, 'Plan.md'));
    writeFileSync(path.join(homeOf(world), 'outside'), 'One\n');
    symlinkSync(path.join(homeOf(world), 'outside'), path.join(world.vault, 'Plan.md'));
    await agent.history.commit([]);
    rmSync(path.join(world.vault, 'Plan.md'));
    write(world, 'Plan.md', 'One\n');
    await agent.history.commit([]);
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    expect(git('show', 'HEAD:Plan.md')).toBe('Two\n');
  });

  it('when the owner had committed it before: it is named, and left to the owner', async () => {
    git('init', '--quiet');
    write(world, '.env', `KEY=${SECRET}\n`);
    write(world, 'api-token.txt', 'x\n');
    git('add', '.');
    git('commit', '--quiet', '-m', 'mine');
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    expect(committedPaths(world)).toContain('.env');
    const { leftOut } = await agent.history.status();
    expect(leftOut.map(({ path: at }) => at).sort()).toEqual(['.env', 'api-token.txt']);
    for (const { why } of leftOut) expect(why).toContain('git filter-repo');
  });
});

describe('what Git would act upon', () => {
  it.each([
    '.git/hooks/post-commit',
    '.git/config',
    '.gitattributes',
    'Notes/.gitattributes',
    '.gitmodules',
    'Notes/.GIT/config',
  ])('never comes in by sync: %s', async (at) => {
    world.dispose();
    world = await createLocalWorld(['laptop', 'desktop']);
    agent = withHistory(world);
    await syncVault(agent);
    const { session } = world.machine('desktop').agent;
    const text = '#!/bin/sh\n: > ran\n';
    const content = { sha256: sha256Hex(text), sizeBytes: Buffer.byteLength(text), text };
    await session.pull();
    // As another machine of the owner could, if it were taken over.
    for (const to of [at, 'Notes/control.md']) {
      const body: LedgerBody = { kind: 'files', changes: [{ op: 'put', path: to, content }] };
      await session.append(() => ({ ring: 'private', body }));
    }
    expect((await syncVault(agent)).incidents).toHaveLength(1);
    const file = path.join(world.vault, at);
    expect(existsSync(file) && readFileSync(file, 'utf8') === text, at).toBe(false);
    expect(readFileSync(path.join(world.vault, 'Notes/control.md'), 'utf8')).toBe(text);
  });
});

describe('large files', () => {
  it('are left out above the limit, named, and come in when they are small again', async () => {
    agent = withHistory(world, { maxFileBytes: 1000 });
    write(world, 'big.bin', Buffer.alloc(1001, 7));
    write(world, 'small.bin', Buffer.alloc(1000, 7));
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['small.bin']);
    expect([...agent.session.state.files.keys()]).toContain('big.bin');
    expect((await agent.history.status()).leftOut).toEqual([
      { path: 'big.bin', why: expect.stringContaining('larger than') as string },
    ]);
    write(world, 'big.bin', Buffer.alloc(10, 7));
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['big.bin', 'small.bin']);
    expect((await agent.history.status()).leftOut).toEqual([]);
    renameSync(path.join(world.vault, 'small.bin'), path.join(world.vault, 'moved.bin'));
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['big.bin', 'moved.bin']);
  });
});

describe("the repository's own list of ignored files", () => {
  it('keeps the names of secrets from the owner\'s "git add" in a repository made here', async () => {
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    const names = [
      ...[
        '.env',
        '.ENV.local',
        'x.env',
        'Secret/a.md',
        'secrets/b.md',
        'id_ed25519',
        'server.PEM',
        'AWS-Credentials.csv',
      ],
      ...['session.json', 'Tokens/list.md', '.ssh/config', 'keys/a.gpg', '.~employee-1.tmp'],
    ];
    for (const name of names) write(world, name, 'x\n');
    write(world, 'Approved/About your session token.md', 'A note is named after its mail.\n');
    git('add', '--all');
    const staged = git('diff', '--cached', '--name-only').trim().split('\n');
    expect(staged).toEqual(['.employee-vault', 'Approved/About your session token.md']);
  });

  it('says what the filter says of every name that it knows', () => {
    const patterns = excludeLines(true).filter((line) => !/^[#!]/.test(line) && !line.startsWith('.~'));
    for (const pattern of patterns) {
      const name = pattern.replace(/\[(.).\]/g, '$1').replaceAll('*', '');
      expect(withheldPath(name), name).toBeDefined();
    }
  });

  it('is left as it is in an adopted repository, but for our temp files', async () => {
    git('init', '--quiet');
    writeFileSync(path.join(world.vault, '.git/info/exclude'), '*.mine');
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    await syncVault(withHistory(world));
    expect(git('check-ignore', '-v', 'a.mine', '.~employee-1.tmp').trim().split('\n')).toHaveLength(2);
    expect(() => git('check-ignore', 'Design tokens.md')).toThrow();
  });
});

describe('the settings', () => {
  it.each([
    ['a remote that is an option', { remote: '--upload-pack=evil' }],
    ['a password in the address', { remote: 'https://robin:hunter2@example.com/vault.git' }],
    ['a branch that is none', { branch: 'a..b' }],
    ['a branch that is an option', { branch: '-f' }],
    ['a branch that forces', { branch: '+main' }],
    ['pushing every second', { pushEveryMinutes: 0 }],
    ['an unknown name', { push: true }],
  ])('refuse %s', (_what, settings) => {
    expect(GitSettings.safeParse(settings).success).toBe(false);
  });

  it('take the usual ones', () => {
    for (const remote of [
      'origin',
      'git@example.com:robin/vault.git',
      'https://robin@example.com/vault.git',
      '/mnt/backup/vault.git',
    ]) {
      expect(GitSettings.parse({ remote, branch: 'machines/laptop' })).toMatchObject({
        enabled: true,
        pushEveryMinutes: 15,
        remote,
      });
    }
  });
});
