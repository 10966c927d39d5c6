import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { notePath } from '#protocol/vault-state.ts';
import { committedPaths, messages, ownersGit, withHistory, wrapGit, write } from '#test/support/git-world.ts';
import type { AgentWithHistory } from '#test/support/git-world.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;

beforeEach(async () => {
  world = await createLocalWorld();
});
afterEach(() => {
  world.dispose();
});

/** What differs between the last commit, the owner's index and the vault; the sentinel is not synced. */
function unclean(): string {
  return ownersGit(world, ['status', '--porcelain', '--untracked-files=all'])
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('.employee-vault'))
    .join('\n');
}

function head(): string {
  return ownersGit(world, ['rev-parse', 'HEAD']).trim();
}

/** The same vault without a history, as a run that died before its commit leaves it. */
function withoutHistory(agent: AgentWithHistory): Parameters<typeof syncVault>[0] {
  const { history: _history, lines: _lines, ...rest } = agent;
  return rest;
}

describe('commits', () => {
  it('the first sync makes the vault a repository and commits all that is synced', async () => {
    const agent = withHistory(world);
    write(world, 'Handbook.md', 'Be kind.\n');
    write(world, 'Notes/Plan.md', 'One\n');
    const taskId = await world.draft();
    await syncVault(agent);
    const note = notePath(agent.session.state.tasks.get(taskId) ?? { state: 'received' });
    expect(committedPaths(world)).toEqual(['Briefings/2026-11-21.md', 'Handbook.md', 'Notes/Plan.md', note]);
    expect(unclean()).toBe('');
    expect(await agent.history.status()).toMatchObject({
      state: 'ready',
      branch: 'main',
      committedTo: agent.session.state.head.n,
      commit: head(),
    });
  });

  it('each zone is the author of its own work, with task and ledger in the message', async () => {
    const agent = withHistory(world);
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    const taskId = await world.draft();
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    const log = ownersGit(world, [
      'log',
      '-2',
      '--format=%an <%ae>|%cn|%(trailers:key=Task,valueonly,separator=%x2C)',
    ]);
    expect(log.trim().split('\n')).toEqual([
      'AI Employee (local) <local@ai-employee.invalid>|AI Employee (laptop)|',
      `AI Employee (cloud) <cloud@ai-employee.invalid>|AI Employee (laptop)|${taskId}`,
    ]);
    const [local, cloud] = messages(world);
    expect(cloud).toMatch(/^vault\(cloud\): add Pending_Approval\/.*About lunch.*\.md\n\nTask: t/);
    expect(local).toMatch(/^vault\(local\): /);
    for (const message of [cloud, local])
      expect(message).toContain(`\nLedger: ${agent.session.state.head.n}\n`);
  });

  it("the committer is the owner's identity where one is configured", async () => {
    const agent = withHistory(world);
    ownersGit(world, ['config', '--global', 'user.name', 'Robin']);
    ownersGit(world, ['config', '--global', 'user.email', 'robin@example.com']);
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    expect(ownersGit(world, ['log', '--format=%an|%cn <%ce>']).trim()).toBe(
      'AI Employee (local)|Robin <robin@example.com>',
    );
  });

  it('what an approval and an execution moved is in the next commit, and followed as renames', async () => {
    const agent = withHistory(world);
    const taskId = await world.draft();
    await syncVault(agent);
    // As other processes do it: no commit of their own.
    await approveTask(withoutHistory(agent), taskId, { method: 'command' });
    await syncVault(agent);
    await executeApproved(withoutHistory(agent));
    await syncVault(agent);
    const moves = ownersGit(world, [
      'log',
      '--format=',
      '--name-status',
      '-M',
      '--',
      'Done',
      'Approved',
      'Pending_Approval',
    ]);
    expect(moves).toMatch(/R\d+\tApproved\/.*\tDone\//);
    expect(moves).toMatch(/R\d+\tPending_Approval\/.*\tApproved\//);
    expect(unclean()).toBe('');
  });

  it('an idle sync runs no git at all', async () => {
    const { env, commands } = wrapGit(world);
    const agent = withHistory(world, {}, env);
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    const before = commands().length;
    await syncVault(agent);
    await agent.history.background(new AbortController().signal);
    expect(before).toBeGreaterThan(5);
    expect(commands().length).toBe(before);
  });

  it('one edited note costs at most 10 runs of git, and as many in a vault of a thousand', async () => {
    const { env, commands } = wrapGit(world);
    const agent = withHistory(world, {}, env);
    const costs: number[] = [];
    for (const size of [3, 1000]) {
      for (let i = 0; i < size; i++) write(world, `Notes/${i}.md`, `Note ${i}\n`);
      await syncVault(agent);
      write(world, 'Notes/1.md', `Edited in a vault of ${size}\n`);
      const before = commands().length;
      await syncVault(agent);
      costs.push(commands().length - before);
    }
    expect(costs[0]).toBeLessThanOrEqual(10);
    expect(costs[1]).toBe(costs[0]);
    expect(ownersGit(world, ['show', '--stat', '--format=', 'HEAD'])).toContain('1 file changed');
  });

  it('a deleted, a moved and an edited file are one commit that says so', async () => {
    const agent = withHistory(world);
    for (const name of ['A', 'B', 'C']) write(world, `Notes/${name}.md`, `${name} has a text of its own.\n`);
    await syncVault(agent);
    rmSync(path.join(world.vault, 'Notes/A.md'));
    renameSync(path.join(world.vault, 'Notes/B.md'), path.join(world.vault, 'Notes/B moved.md'));
    write(world, 'Notes/C.md', 'C is another now.\n');
    await syncVault(agent);
    expect(messages(world)[0]).toContain('vault(local): 1 edited, 1 moved, 1 deleted');
    expect(committedPaths(world)).toEqual(['Notes/B moved.md', 'Notes/C.md']);
    expect(unclean()).toBe('');
  });

  it('a file that becomes a folder, and back', async () => {
    const agent = withHistory(world);
    write(world, 'thing', 'a file\n');
    await syncVault(agent);
    rmSync(path.join(world.vault, 'thing'));
    write(world, 'thing/inside.md', 'a folder\n');
    await syncVault(agent);
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['thing/inside.md']);
    rmSync(path.join(world.vault, 'thing'), { recursive: true });
    write(world, 'thing', 'a file again\n');
    await syncVault(agent);
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['thing']);
    expect(unclean()).toBe('');
  });

  it('names that could be options, patterns or more than one line are names', async () => {
    const agent = withHistory(world);
    const names = [
      '-rf.md',
      '--force',
      '[a-z].md',
      '!important.md',
      '#1.md',
      "it's $(touch x) `y`.md",
      'Zürich – 東京 🗼.md',
      '@{-1}',
      'HEAD',
      'a\tb.md',
    ];
    for (const name of names) write(world, name, `${name}\n`);
    await syncVault(agent);
    // A tab is no part of a name that every system can have: such a file is not synced.
    expect(committedPaths(world)).toEqual(names.filter((name) => !name.includes('\t')).sort());
    for (const name of names) write(world, name, `${name} again\n`);
    await syncVault(agent);
    expect(ownersGit(world, ['show', '--stat', '--format=', 'HEAD', '--'])).toContain('9 files changed');
    expect((await agent.history.status()).state).toBe('ready');
    expect(agent.lines).toEqual([]);
  });

  it('bytes are kept as they are: CRLF, no last line break, BOM, not UTF-8, zero bytes, an executable', async () => {
    const agent = withHistory(world);
    const files: Record<string, Buffer> = {
      'crlf.md': Buffer.from('a\r\nb\r\n'),
      'bare.md': Buffer.from('no end'),
      'bom.md': Buffer.from('\ufeffbom\n'),
      'latin.md': Buffer.from([0x66, 0xfc, 0x72, 0x0a]),
      'zero.bin': Buffer.from([0, 1, 2, 0, 255]),
      'empty.md': Buffer.alloc(0),
      'run.sh': Buffer.from('#!/bin/sh\n'),
    };
    for (const [name, bytes] of Object.entries(files)) write(world, name, bytes);
    chmodSync(path.join(world.vault, 'run.sh'), 0o755);
    await syncVault(agent);
    rmSync(path.join(world.vault, '.git', 'index'));
    ownersGit(world, ['checkout', '--quiet', 'HEAD', '--', '.']);
    for (const [name, bytes] of Object.entries(files)) {
      expect(readFileSync(path.join(world.vault, name)).equals(bytes), name).toBe(true);
    }
    expect(ownersGit(world, ['ls-tree', 'HEAD', 'run.sh'])).toMatch(/^100755/);
  });

  it('a repository with SHA-256 ids works as well', async () => {
    ownersGit(world, ['init', '--quiet', '--object-format=sha256']);
    const agent = withHistory(world);
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    expect(head()).toHaveLength(64);
    expect(messages(world)).toHaveLength(2);
    expect(ownersGit(world, ['fsck', '--strict'])).toBe('');
    expect(unclean()).toBe('');
  });
});

describe('a run that dies', () => {
  it('between the changes and the commit: the next sync commits all of it, deletions and moves too', async () => {
    const agent = withHistory(world);
    for (const name of ['A', 'B', 'C']) write(world, `Notes/${name}.md`, `${name} has a text of its own.\n`);
    const taskId = await world.draft();
    await syncVault(agent);
    rmSync(path.join(world.vault, 'Notes/A.md'));
    renameSync(path.join(world.vault, 'Notes/B.md'), path.join(world.vault, 'Notes/B moved.md'));
    await approveTask(withoutHistory(agent), taskId, { method: 'command' });
    await syncVault(withoutHistory(agent));

    const again = withHistory(world);
    await syncVault(again);
    expect(committedPaths(world).filter((at) => !at.startsWith('Briefings/'))).toEqual([
      expect.stringMatching(/^Approved\//),
      'Notes/B moved.md',
      'Notes/C.md',
    ]);
    expect(unclean()).toBe('');
  });

  it('between the index and the branch: nothing looks like the undoing of a commit afterwards', async () => {
    write(world, 'Plan.md', 'One\n');
    await syncVault(withHistory(world));
    write(world, 'Plan.md', 'Two\n');
    const dying = wrapGit(world, 'case "$*" in *update-ref*) kill -9 $$ ;; esac');
    const agent = withHistory(world, {}, dying.env);
    await syncVault(agent);
    expect(await agent.history.status()).toMatchObject({ state: 'waiting' });
    // What is staged is what stands in the vault, so whatever the owner commits now is right.
    expect(ownersGit(world, ['diff', '--name-only'])).toBe('');

    write(world, 'Plan.md', 'Three\n');
    await syncVault(withHistory(world));
    expect(ownersGit(world, ['show', 'HEAD:Plan.md'])).toBe('Three\n');
    expect(unclean()).toBe('');
  });

  it.each([
    'init',
    'hash-object',
    'fast-import',
    'read-tree',
    'update-index',
    'write-tree',
    'commit-tree',
    'update-ref',
    'cat-file',
    'diff-index',
    'check-ignore',
  ])('in "git %s", again and again: the next run is whole', async (command) => {
    const dying = withHistory(world, {}, wrapGit(world, `case "$*" in *${command}*) kill -9 $$ ;; esac`).env);
    for (const name of ['A', 'B']) write(world, `${name}.md`, `${name}\n`);
    await syncVault(dying);
    write(world, 'A.md', 'A again\n');
    await syncVault(dying);
    rmSync(path.join(world.vault, 'B.md'));
    await syncVault(dying);
    write(world, 'C.md', 'C\n');
    await syncVault(withHistory(world));
    expect(committedPaths(world)).toEqual(['A.md', 'C.md']);
    expect(ownersGit(world, ['show', 'HEAD:A.md'])).toBe('A again\n');
    expect(unclean()).toBe('');
    expect(ownersGit(world, ['fsck', '--no-dangling'])).toBe('');
  });
});

describe('the repository of an owner', () => {
  it('is adopted: its commits stay, what it holds beside the notes is left alone', async () => {
    ownersGit(world, ['init', '--quiet', '--initial-branch=notes']);
    write(world, 'Old.md', 'Committed by the owner\n');
    write(world, '.gitignore', '*.log\nPrivate/\n');
    write(world, '.obsidian/app.json', '{}\n');
    ownersGit(world, ['add', 'Old.md', '.gitignore', '.obsidian']);
    ownersGit(world, ['commit', '--quiet', '-m', 'mine']);
    const before = head();
    write(world, 'New.md', 'Not committed yet\n');
    write(world, 'run.log', 'ignored\n');
    write(world, 'Private/diary.md', 'ignored by the owner\n');
    write(world, '.obsidian/workspace.json', '{}\n');
    const agent = withHistory(world);
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['.gitignore', '.obsidian/app.json', 'New.md', 'Old.md']);
    expect(ownersGit(world, ['rev-parse', 'HEAD~1']).trim()).toBe(before);
    expect(ownersGit(world, ['status', '--porcelain'])).toBe(
      '?? .employee-vault\n?? .obsidian/workspace.json\n',
    );
    expect(readFileSync(path.join(world.vault, '.gitignore'), 'utf8')).toBe('*.log\nPrivate/\n');
    // All of it is synced all the same: ignoring is about Git.
    expect([...agent.session.state.files.keys()]).toContain('Private/diary.md');
  });

  it('what the owner has staged is neither committed nor unstaged', async () => {
    const agent = withHistory(world);
    write(world, 'Plan.md', 'One\n');
    write(world, 'Other.md', 'Other\n');
    await syncVault(agent);
    write(world, '.obsidian/app.json', '{}\n');
    write(world, 'Plan.md', 'Half of my next commit\n');
    ownersGit(world, ['add', '.obsidian/app.json', 'Plan.md']);
    write(world, 'Plan.md', 'More than that\n');
    write(world, 'Other.md', 'Changed\n');
    await syncVault(agent);
    expect(ownersGit(world, ['show', '--name-only', '--format=', 'HEAD']).trim().split('\n')).toEqual([
      'Other.md',
      'Plan.md',
    ]);
    expect(ownersGit(world, ['show', ':Plan.md'])).toBe('Half of my next commit\n');
    expect(ownersGit(world, ['diff', '--cached', '--name-only'])).toBe('.obsidian/app.json\nPlan.md\n');
  });

  it("the owner's own commits, resets and switches in between are built upon", async () => {
    const agent = withHistory(world);
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    write(world, 'Plan.md', 'Two\n');
    ownersGit(world, ['commit', '--quiet', '-am', 'by hand']);
    const mine = head();
    await syncVault(agent);
    expect(head()).toBe(mine);
    ownersGit(world, ['reset', '--quiet', '--soft', 'HEAD~1']);
    write(world, 'New.md', 'New\n');
    await syncVault(agent);
    expect(ownersGit(world, ['show', 'HEAD:Plan.md'])).toBe('Two\n');
    ownersGit(world, ['switch', '--quiet', '-c', 'other']);
    write(world, 'New.md', 'Newer\n');
    await syncVault(agent);
    expect(ownersGit(world, ['show', 'other:New.md'])).toBe('Newer\n');
    expect(ownersGit(world, ['show', 'main:New.md'])).toBe('New\n');
    expect(unclean()).toBe('');
  });

  it('a deleted .git is begun anew with all there is', async () => {
    const agent = withHistory(world);
    write(world, 'Plan.md', 'One\n');
    write(world, 'Other.md', 'Other\n');
    await syncVault(agent);
    rmSync(path.join(world.vault, '.git'), { recursive: true });
    write(world, 'Plan.md', 'Two\n');
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['Other.md', 'Plan.md']);
    expect(messages(world)).toHaveLength(1);
  });

  it('a linked worktree is adopted like any other', async () => {
    const main = path.join(path.dirname(world.vault), 'main');
    ownersGit(world, ['init', '--quiet', main], path.dirname(world.vault));
    ownersGit(world, ['commit', '--quiet', '--allow-empty', '-m', 'first'], main);
    const sentinel = readFileSync(path.join(world.vault, '.employee-vault'));
    rmSync(world.vault, { recursive: true });
    ownersGit(world, ['worktree', 'add', '--quiet', world.vault, '-b', 'vault'], main);
    writeFileSync(path.join(world.vault, '.employee-vault'), sentinel);
    write(world, 'Plan.md', 'One\n');
    const agent = withHistory(world);
    await syncVault(agent);
    expect(ownersGit(world, ['show', 'vault:Plan.md'], main)).toBe('One\n');
    expect(unclean()).toBe('');
  });

  it('filters and line ends of the owner are respected', async () => {
    ownersGit(world, ['init', '--quiet']);
    ownersGit(world, ['config', 'filter.upper.clean', 'tr a-z A-Z']);
    ownersGit(world, ['config', 'filter.upper.smudge', 'cat']);
    write(world, '.gitattributes', '*.up filter=upper\n*.md text\n');
    write(world, 'shout.up', 'quiet\n');
    write(world, 'dos.md', 'a\r\nb\r\n');
    await syncVault(withHistory(world));
    expect(ownersGit(world, ['show', 'HEAD:shout.up'])).toBe('QUIET\n');
    expect(ownersGit(world, ['show', 'HEAD:dos.md'])).toBe('a\nb\n');
    expect(ownersGit(world, ['status', '--porcelain', '--untracked-files=no'])).toBe('');
  });

  it('no variable that a hook left in the environment leads elsewhere', async () => {
    const elsewhere = path.join(path.dirname(world.vault), 'elsewhere');
    ownersGit(world, ['init', '--quiet', elsewhere], path.dirname(world.vault));
    const agent = withHistory(
      world,
      {},
      {
        GIT_DIR: path.join(elsewhere, '.git'),
        GIT_WORK_TREE: elsewhere,
        GIT_INDEX_FILE: path.join(elsewhere, 'index'),
        GIT_OBJECT_DIRECTORY: path.join(elsewhere, 'objects'),
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'core.bare',
        GIT_CONFIG_VALUE_0: 'true',
        GIT_AUTHOR_NAME: 'Somebody',
        GIT_LITERAL_PATHSPECS: '1',
      },
    );
    write(world, 'Plan.md', 'One\n');
    await syncVault(agent);
    expect(committedPaths(world)).toEqual(['Plan.md']);
    expect(ownersGit(world, ['log', '--format=%an']).trim()).toBe('AI Employee (local)');
    expect(() => ownersGit(world, ['rev-parse', '--quiet', '--verify', 'HEAD'], elsewhere)).toThrow();
  });
});
