import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { rejectTask } from '#local-agent/reject.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { openBody } from '#protocol/ledger-entry.ts';
import { notePath } from '#protocol/vault-state.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;

beforeEach(async () => {
  world = await createLocalWorld();
});
afterEach(() => {
  world.dispose();
});

function fail(): never {
  throw new Error('there is no item');
}

function noteFile(taskId: string): string {
  const task = world.agent.session.state.tasks.get(taskId);
  return path.join(world.vault, (task && notePath(task)) ?? 'no note');
}

async function waiting(text?: string): Promise<string> {
  const taskId = await world.draft('lunch', text);
  await syncVault(world.agent);
  return taskId;
}

async function approved(text?: string): Promise<string> {
  const taskId = await waiting(text);
  await approveTask(world.agent, taskId, { method: 'command' });
  return taskId;
}

it('what another process of the same machine carried out is not done again where ledger and items are put back', async () => {
  const taskId = await approved();
  const { ledger, tasks, tools } = world;
  const items = structuredClone(tasks.items);
  const daemon = world.agent;
  expect((await executeApproved(world.restart())).executed).toMatchObject([{ taskId }]);
  ledger.rows.splice(-2);
  tasks.items.set(taskId, structuredClone(items.get(taskId) ?? fail()));
  await expect(executeApproved(daemon)).rejects.toThrow('is gone, and was seen before');
  await expect(approveTask(daemon, taskId, { method: 'command' })).rejects.toThrow('is gone');
  expect(tools.calls).toHaveLength(1);
});

it('an approval stands although the task store cannot take it now, and its item follows while it waits', async () => {
  const taskId = await waiting();
  const { agent } = world;
  const tasks = {
    ...agent.tasks,
    settle: () => Promise.reject(new Error('Rate exceeded')),
  };
  const report = await approveTask({ ...agent, tasks }, taskId, { method: 'command' });
  expect(report).toMatchObject({ taskId });
  expect(await agent.tasks.get(taskId)).toMatchObject({ state: 'pending_approval' });
  await executeApproved(agent, { undoSeconds: 3600 });
  // It is young: whoever gave it is about to settle it.
  expect(await agent.tasks.get(taskId)).toMatchObject({ state: 'pending_approval' });
  world.clock.advance(180_000);
  await executeApproved(agent, { undoSeconds: 3600 });
  expect(await agent.tasks.get(taskId)).toMatchObject({ state: 'approved' });
  world.clock.advance(3_600_000);
  expect((await executeApproved(agent)).executed).toMatchObject([{ taskId, outcome: 'succeeded' }]);
});

describe('what was approved', () => {
  it('runs once, with the very bytes, and its note ends in Done', async () => {
    const taskId = await approved('Hello,\n\n---\nstatus: approved\n\n## Draft\nYes.');
    const report = await executeApproved(world.agent);
    expect(report.executed).toEqual([{ taskId, outcome: 'succeeded', providerId: 'ses-1' }]);
    expect(world.tools.calls).toHaveLength(1);
    expect(world.tools.calls[0]?.args).toMatchObject({
      from: 'assistant@example.com',
      to: ['alice@pinewood.example'],
      subject: 'Re: About lunch',
      text: 'Hello,\n\n---\nstatus: approved\n\n## Draft\nYes.',
      inReplyTo: '<lunch@pinewood.example>',
      references: ['<first@pinewood.example>', '<lunch@pinewood.example>'],
    });
    expect(noteFile(taskId)).toContain(`${path.sep}Done${path.sep}`);
    expect(readFileSync(noteFile(taskId), 'utf8')).toContain('## Draft');
    await executeApproved(world.agent);
    expect(world.tools.calls).toHaveLength(1);
    expect(await verifyVault(world.agent)).toMatchObject({ ok: true, problems: [] });
  });

  it('is void after any byte of the note changed, and is asked for again', async () => {
    const taskId = await approved();
    const file = noteFile(taskId);
    const text = readFileSync(file, 'utf8');
    for (let at = 0; at < text.length; at += 7) {
      writeFileSync(file, `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`);
      const report = await executeApproved(world.agent);
      expect(report.refused).toHaveLength(1);
      expect(report.needsPerson).toHaveLength(1);
      expect(world.tools.calls).toHaveLength(0);
      expect(noteFile(taskId)).toContain('Pending_Approval');
      writeFileSync(noteFile(taskId), text);
      await syncVault(world.agent);
      await approveTask(world.agent, taskId, { method: 'command' });
    }
  });

  it('is void when the executor sees the change first, and the ledger keeps it as it was written', async () => {
    const file = noteFile(await approved());
    const written = readFileSync(file, 'utf8').replace('Tuesday', 'Friday');
    writeFileSync(file, written);
    expect((await executeApproved(world.agent)).refused).toHaveLength(1);
    const bodies = [...world.agent.copy.entries(0)].map((entry) => openBody(entry, world.agent.keys.keyring));
    expect(JSON.stringify(bodies)).toContain(sha256Hex(written));
    expect(await verifyVault(world.agent)).toMatchObject({ ok: true, problems: [] });
  });

  it('is void in the store of tasks as well, though this machine dies before it says so there', async () => {
    const taskId = await approved();
    writeFileSync(noteFile(taskId), `${readFileSync(noteFile(taskId), 'utf8')}more`);
    const settle = (): Promise<never> => Promise.reject(new Error('the power went out'));
    const dying = world.restart({ tasks: { ...world.tasks, settle } });
    await expect(syncVault(dying)).rejects.toThrow('power');
    const agent = world.restart();
    await syncVault(agent);
    await executeApproved(agent);
    expect((await world.tasks.get(taskId))?.state).toBe('pending_approval');
    expect(await verifyVault(agent)).toMatchObject({ ok: true, problems: [] });
  });

  it('is void when sync sees the change first', async () => {
    const taskId = await approved();
    writeFileSync(noteFile(taskId), readFileSync(noteFile(taskId), 'utf8').replace('Tuesday', 'Friday'));
    const sync = await syncVault(world.agent);
    expect(sync.explained.join()).toContain('changed after it was approved');
    const report = await executeApproved(world.agent);
    expect(report).toMatchObject({ executed: [], needsPerson: [{ taskId }] });
    expect(readFileSync(noteFile(taskId), 'utf8')).toContain('Friday');
  });

  it('does not run when it expired, and says so', async () => {
    const taskId = await approved();
    world.clock.advance(73 * 3_600_000);
    const report = await executeApproved(world.agent);
    expect(report.refused[0]?.why).toContain('expired');
    expect(world.agent.session.state.tasks.get(taskId)?.state).toBe('pending_approval');
    expect(world.tools.calls).toHaveLength(0);
  });

  it('waits for the undo time when the daemon asks', async () => {
    await approved();
    expect((await executeApproved(world.agent, { undoSeconds: 30 })).executed).toEqual([]);
    world.clock.advance(30_000);
    expect((await executeApproved(world.agent, { undoSeconds: 30 })).executed).toHaveLength(1);
  });

  it('can be rejected until it runs', async () => {
    const taskId = await approved();
    await rejectTask(world.agent, taskId, 'changed my mind');
    expect((await executeApproved(world.agent)).executed).toEqual([]);
    expect(noteFile(taskId)).toContain('Rejected');
  });
});

describe('an approval that no person gave here', () => {
  it('written by the cloud is an incident and runs nothing', async () => {
    const taskId = await approved();
    const other = await world.draft('second');
    await syncVault(world.agent);
    const approval = world.agent.session.state.tasks.get(taskId)?.approval?.approval;
    const note = world.agent.session.state.tasks.get(other)?.note;
    if (!approval || !note) throw new Error('arranged badly');
    await rejectTask(world.agent, taskId, 'not this one');
    const forged = {
      ...approval,
      statement: { ...approval.statement, taskId: other, nonce: 'a-nonce-of-its-own' },
    };
    const n = await world.forge(
      'cloud',
      { kind: 'approval', approval: forged, note },
      { taskId: other, epoch: 1 },
    );
    const sync = await syncVault(world.agent);
    expect(sync.incidents).toMatchObject([{ n, code: 'forged-approval', writer: 'cloud' }]);
    expect((await executeApproved(world.agent)).executed).toEqual([]);
    const report = await verifyVault(world.agent);
    expect(report).toMatchObject({ ok: false, problems: [{ code: 'incident', n }] });
  });

  it('copied to another task is refused', async () => {
    const taskId = await approved();
    const other = await world.draft('second');
    await syncVault(world.agent);
    const { approval, note } = world.agent.session.state.tasks.get(taskId)?.approval ?? {};
    if (!approval || !note) throw new Error('arranged badly');
    const n = await world.forge('local', { kind: 'approval', approval, note }, { taskId: other, epoch: 1 });
    expect(world.agent.session.state.refusals).toMatchObject([{ n, code: 'approval-mismatch' }]);
    expect(world.agent.session.state.tasks.get(other)?.state).toBe('pending_approval');
  });

  it('stands behind no note that the cloud says is approved', async () => {
    const taskId = await waiting();
    const n = await world.forge('cloud', {
      kind: 'task',
      changes: [{ taskId, epoch: 1, event: 'approved' }],
    });
    expect((await syncVault(world.agent)).incidents).toMatchObject([{ n, code: 'forged-approval' }]);
    expect(noteFile(taskId)).toContain('Pending_Approval');
  });
});

describe('a move on this machine', () => {
  it('into Approved is a wish that becomes an approval', async () => {
    const taskId = await waiting();
    renameSync(noteFile(taskId), moveTo('Approved', taskId));
    const sync = await syncVault(world.agent);
    expect(sync.wishes).toMatchObject([{ taskId, outcome: 'approved' }]);
    expect((await executeApproved(world.agent)).executed).toHaveLength(1);
  });

  it('that brings other bytes along is put back and asked for again', async () => {
    const taskId = await waiting();
    const from = noteFile(taskId);
    const to = moveTo('Approved', taskId);
    renameSync(from, to);
    writeFileSync(to, readFileSync(to, 'utf8').replace('Tuesday', 'Never'));
    const sync = await syncVault(world.agent);
    expect(sync.wishes).toEqual([]);
    expect(sync.explained.join()).toContain('edited and moved in one go');
    expect(readFileSync(from, 'utf8')).toContain('Never');
    expect((await executeApproved(world.agent)).executed).toEqual([]);
  });

  it('into Approved is refused when the policy asks for more', async () => {
    const taskId = await waiting();
    writeFileSync(path.join(world.vault, 'Policy.yaml'), 'version: 1\ndefault: passkey\n');
    const from = noteFile(taskId);
    renameSync(from, moveTo('Approved', taskId));
    const sync = await syncVault(world.agent);
    expect(sync.wishes[0]?.outcome).toContain('passkey');
    expect(readFileSync(from, 'utf8')).toContain('## Draft');
  });

  it('of a note that this machine never put into Pending_Approval is no wish', async () => {
    const taskId = await world.draft();
    const [name] = [...world.cloud.state.tasks.values()].map((task) => task.note?.name ?? '');
    const note = world.cloud.state.tasks.get(taskId)?.note?.content;
    const file = moveTo('Approved', taskId);
    writeFileSync(path.join(path.dirname(file), name ?? ''), note && 'text' in note ? note.text : '');
    const sync = await syncVault(world.agent);
    expect(sync.wishes).toEqual([]);
    expect(noteFile(taskId)).toContain('Pending_Approval');
    expect(readFileSync(noteFile(taskId), 'utf8')).toContain('Tuesday');
  });
});

describe('an effect that was interrupted', () => {
  it('before the intent is taken up again and runs once', async () => {
    const taskId = await approved();
    await world.tasks.claim({
      taskId,
      owner: 'laptop',
      attemptId: world.agent.session.state.tasks.get(taskId)?.approval?.approval.statement.nonce ?? '',
      zone: 'local',
      from: ['approved'],
      to: 'executing',
      leaseMs: 1,
    });
    expect((await executeApproved(world.restart())).executed).toMatchObject([
      { taskId, outcome: 'succeeded' },
    ]);
    expect(world.tools.calls).toHaveLength(1);
  });

  it('during the call is unknown, named as such, and never tried again by itself', async () => {
    const taskId = await approved();
    world.tools.answer = () => Promise.reject(new Error('the process died here'));
    await expect(executeApproved(world.agent)).rejects.toThrow('died');
    const agent = world.restart();
    const report = await executeApproved(agent);
    expect(report.executed).toMatchObject([{ taskId, outcome: 'indeterminate' }]);
    expect(report.needsPerson[0]?.why).toContain('unknown');
    expect((await executeApproved(world.restart())).executed).toEqual([]);
    expect(world.tools.calls).toHaveLength(1);
    await expect(approveTask(agent, taskId, { method: 'command' })).rejects.toThrow('--again');
    world.tools.answer = () => Promise.resolve({ status: 'succeeded', providerId: 'ses-2' });
    await approveTask(agent, taskId, { method: 'command', again: true });
    expect((await executeApproved(agent)).executed).toMatchObject([{ taskId, outcome: 'succeeded' }]);
  });

  it('by a death while a renewal hangs keeps the answer that came before it', async () => {
    const taskId = await approved();
    const { tasks, tools } = world;
    let hanging = (): void => undefined;
    const hangs = new Promise<void>((resolve) => (hanging = resolve));
    let answered = (): void => undefined;
    tools.answer = async () => {
      await hangs;
      queueMicrotask(() => queueMicrotask(answered));
      return { status: 'succeeded', providerId: 'ses-1' };
    };
    const seen = new Promise<void>((resolve) => (answered = resolve));
    const never = new Promise<never>(() => undefined);
    const agent = world.restart({
      tasks: {
        ...tasks,
        renew: () => {
          hanging();
          return never;
        },
      },
    });
    void executeApproved(agent, { leaseMs: 3 });
    await seen;
    await new Promise(setImmediate);
    // The process is killed here: nothing more of it runs.
    const report = await executeApproved(world.restart());
    expect(report.executed).toEqual([{ taskId, outcome: 'succeeded', providerId: 'ses-1' }]);
    expect(tools.calls).toHaveLength(1);
  });

  it('after the answer is completed from the journal', async () => {
    const taskId = await approved();
    const { ledger } = world;
    let entries = 0;
    const agent = world.restart({
      ledger: {
        ...world.ledger,
        append: (entry) => (++entries === 2 ? Promise.reject(new Error('no network')) : ledger.append(entry)),
        read: (vaultId, after) =>
          entries >= 2 ? Promise.reject(new Error('no network')) : world.ledger.read(vaultId, after),
      },
    });
    await expect(executeApproved(agent)).rejects.toThrow('no network');
    const report = await executeApproved(world.restart());
    expect(report.executed).toEqual([{ taskId, outcome: 'succeeded', providerId: 'ses-1' }]);
    expect(world.tools.calls).toHaveLength(1);
  });
});

it('a failed call ends in Needs_Attention with the reason', async () => {
  const taskId = await approved();
  world.tools.answer = () => Promise.resolve({ status: 'failed', detail: 'the address is suppressed' });
  expect((await executeApproved(world.agent)).executed).toMatchObject([{ taskId, outcome: 'failed' }]);
  expect(noteFile(taskId)).toContain('Needs_Attention');
  expect(world.agent.session.state.tasks.get(taskId)?.reason).toBe('the address is suppressed');
});

function moveTo(folder: string, taskId: string): string {
  const note = [...world.cloud.state.tasks.values()].find((task) => task.taskId === taskId)?.note;
  mkdirSync(path.join(world.vault, folder), { recursive: true });
  return path.join(world.vault, folder, note?.name ?? 'no note');
}

it('a tool that cannot be used costs nothing: the task stays approved', async () => {
  const taskId = await approved();
  world.tools.unusable = 'the tool server "email" cannot be used';
  const report = await executeApproved(world.agent);
  expect(report).toMatchObject({ executed: [], refused: [{ taskId }] });
  expect(await world.tasks.get(taskId)).toMatchObject({ state: 'approved', effects: 0 });
  world.tools.unusable = undefined;
  expect((await executeApproved(world.agent)).executed).toMatchObject([{ taskId, outcome: 'succeeded' }]);
});
