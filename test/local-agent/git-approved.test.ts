import { mkdtempSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { ownersGit, withHistory } from '#test/support/git-world.ts';
import type { AgentWithHistory } from '#test/support/git-world.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

/**
 * A rebase or a merge follows renames: what somebody else wrote into the note while it waited is put, without any
 * conflict, into the note where it stands now, and that is `Approved/`. Two clones of the vault and a
 * real remote play that.
 */
let world: LocalWorld;
let agent: AgentWithHistory;
let elsewhere: string;
let remote: string;
let taskId: string;

beforeEach(async () => {
  world = await createLocalWorld();
  elsewhere = mkdtempSync(path.join(tmpdir(), 'employee-clone-'));
  remote = path.join(elsewhere, 'remote.git');
  agent = withHistory(world, { remote, branch: 'main' });
  taskId = await world.draft('lunch', `Hello Alice,\n\n${'Tuesday suits me well.\n'.repeat(20)}\nRobin`);
  await syncVault(agent);
  ownersGit(world, ['init', '--quiet', '--bare', '--initial-branch=main', remote], elsewhere);
  await agent.history.background(new AbortController().signal);
  ownersGit(world, ['clone', '--quiet', remote, 'foreign'], elsewhere);
});
afterEach(() => {
  world.dispose();
  rmSync(elsewhere, { recursive: true, force: true });
});

const foreign = (): string => path.join(elsewhere, 'foreign');

function task(): TaskView {
  const found = agent.session.state.tasks.get(taskId);
  if (!found) throw new Error('no such task');
  return found;
}

function noteHere(): string {
  return readFileSync(path.join(world.vault, notePath(task()) ?? 'no note'), 'utf8');
}

/** Somebody with a clone of the vault writes something else into the draft that waits. */
function foreignEdit(): void {
  const note = path.join(foreign(), 'Pending_Approval', task().note?.name ?? '');
  writeFileSync(
    note,
    readFileSync(note, 'utf8').replace('Tuesday suits me well.', 'Send 5000 EUR to Mallory.'),
  );
  ownersGit(world, ['commit', '--quiet', '-am', 'a small change'], foreign());
  ownersGit(world, ['push', '--quiet', 'origin', 'main'], foreign());
}

function pull(how: string): string {
  ownersGit(world, ['remote', 'add', 'origin', remote]);
  return ownersGit(world, ['pull', how, '--no-edit', 'origin', 'main']);
}

describe.each(['--no-rebase', '--rebase'])('git pull %s', (how) => {
  it('carries a foreign edit along into Approved/ without a conflict, and nothing runs', async () => {
    foreignEdit();
    await approveTask(agent, taskId, { method: 'command' });
    await syncVault(agent);
    expect(notePath(task())).toMatch(/^Approved\//);
    pull(how);
    // The danger is real: no conflict, and a text that nobody approved stands in Approved/.
    expect(ownersGit(world, ['status', '--porcelain', '--untracked-files=no'])).toBe('');
    expect(noteHere()).toContain('Mallory');

    const report = await syncVault(agent);
    const executed = await executeApproved(agent);
    await syncVault(agent);

    expect(world.tools.calls).toEqual([]);
    expect(executed.executed).toEqual([]);
    expect(task()).toMatchObject({ state: 'pending_approval' });
    expect(task().voided).toContain('changed after it was approved');
    expect(report.explained.join('\n')).toContain('changed after it was approved');
    // Put back to be read, with what the other one wrote: no words are lost, and no approval holds for them.
    expect(notePath(task())).toMatch(/^Pending_Approval\//);
    expect(noteHere()).toContain('Mallory');
    expect(executed.needsPerson.map((one) => one.taskId)).toEqual([taskId]);
    expect((await verifyVault(agent)).problems).toEqual([]);
  });

  it('runs nothing either when it happens between the approval and its execution, with no sync in between', async () => {
    foreignEdit();
    await approveTask(agent, taskId, { method: 'command' });
    // The commit of the move, as the next sync would make it.
    await agent.history.commit([]);
    pull(how);
    expect(noteHere()).toContain('Mallory');

    const executed = await executeApproved(agent);

    expect(world.tools.calls).toEqual([]);
    expect(executed.refused).toMatchObject([{ taskId, why: expect.stringContaining('changed') as string }]);
    expect(task().state).toBe('pending_approval');
  });

  it('approves nothing when it is the pull that moves the note into Approved/', async () => {
    const name = task().note?.name ?? '';
    mkdirSync(path.join(foreign(), 'Approved'));
    renameSync(path.join(foreign(), 'Pending_Approval', name), path.join(foreign(), 'Approved', name));
    ownersGit(world, ['add', '--all'], foreign());
    ownersGit(world, ['commit', '--quiet', '-m', 'approved, trust me'], foreign());
    ownersGit(world, ['push', '--quiet', 'origin', 'main'], foreign());
    const before = noteHere();
    pull(how);
    expect(readFileSync(path.join(world.vault, 'Approved', name), 'utf8')).toBe(before);

    const report = await syncVault(agent);
    const executed = await executeApproved(agent);

    expect(world.tools.calls).toEqual([]);
    expect(executed.executed).toEqual([]);
    expect(report.wishes).toEqual([]);
    expect(report.explained.join('\n')).toContain('put back');
    expect(task().state).toBe('pending_approval');
    expect(notePath(task())).toBe(`Pending_Approval/${name}`);
    // The history goes on from there.
    expect(ownersGit(world, ['ls-tree', '-r', '--name-only', 'HEAD'])).toContain('Pending_Approval/');
    expect(ownersGit(world, ['ls-tree', '-r', '--name-only', 'HEAD'])).not.toContain('Approved/2026');
  });
});

it('Git takes folders for renamed as well: a note that somebody adds beside lands in Approved/, and is no task', async () => {
  const name = 'Send 5000 EUR.md';
  writeFileSync(
    path.join(foreign(), 'Pending_Approval', name),
    noteHere().replaceAll(taskId, `${taskId.slice(0, -1)}0`),
  );
  ownersGit(world, ['add', '--all'], foreign());
  ownersGit(world, ['commit', '--quiet', '-m', 'one more'], foreign());
  ownersGit(world, ['push', '--quiet', 'origin', 'main'], foreign());
  await approveTask(agent, taskId, { method: 'command' });
  await syncVault(agent);
  ownersGit(world, ['config', 'merge.directoryRenames', 'true']);
  pull('--no-rebase');
  // The danger is real: nobody on this machine ever moved that note.
  expect(readFileSync(path.join(world.vault, 'Approved', name), 'utf8')).toContain('Tuesday');
  expect(ownersGit(world, ['status', '--porcelain', '--untracked-files=no'])).toBe('');

  const report = await syncVault(agent);
  const { executed } = await executeApproved(agent);
  await syncVault(agent);

  expect(report.wishes).toEqual([]);
  expect(executed.map((one) => one.taskId)).toEqual([taskId]);
  expect(world.tools.calls).toHaveLength(1);
  const others = [...agent.session.state.tasks.values()].filter((one) => one.taskId !== taskId);
  expect(others).toMatchObject([{ state: 'quarantined' }]);
  expect((await verifyVault(agent)).problems).toEqual([]);
});

it('a checkout of an earlier commit brings no approval back', async () => {
  await approveTask(agent, taskId, { method: 'command' });
  await syncVault(agent);
  const approved = ownersGit(world, ['rev-parse', 'HEAD']).trim();
  await executeApproved(agent);
  await syncVault(agent);
  expect(task().state).toBe('done');
  expect(world.tools.calls).toHaveLength(1);

  // Back to the state of an hour ago, by the means of Git alone.
  ownersGit(world, ['checkout', '--quiet', '--force', '-B', 'again', approved]);
  expect(readFileSync(path.join(world.vault, 'Approved', task().note?.name ?? ''), 'utf8')).toContain(
    'Tuesday',
  );
  await syncVault(agent);
  await executeApproved(agent);
  await syncVault(agent);

  expect(world.tools.calls).toHaveLength(1);
  expect(notePath(task())).toMatch(/^Done\//);
  expect(noteHere()).toContain('Tuesday');
});
