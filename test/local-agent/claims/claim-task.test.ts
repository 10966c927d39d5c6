import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { claimTask } from '#local-agent/claims/claim-task.ts';
import { ownerReport } from '#local-agent/claims/owner-report.ts';
import { releaseTask, transferTask } from '#local-agent/claims/release-task.ts';
import { settleClaims } from '#local-agent/claims/settle-claims.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import { EPOCH_WINDOW } from '#protocol/claim.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { claimedByCloud, waitingTask } from '#test/support/waiting-task.ts';

let world: LocalWorld;
let laptop: Agent;
let desktop: Agent;
beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
  laptop = world.machine('laptop').agent;
  desktop = world.machine('desktop').agent;
});
afterEach(() => {
  world.dispose();
});

async function waiting(name?: string): Promise<string> {
  const taskId = await waitingTask(world, name);
  await syncBoth();
  return taskId;
}

async function syncBoth(): Promise<void> {
  for (const agent of [laptop, desktop]) await syncVault(agent);
}

function view(agent: Agent, taskId: string): TaskView {
  const task = agent.session.state.tasks.get(taskId);
  if (!task) throw new Error('arranged badly');
  return task;
}

/** Where both vaults have the note. */
async function places(taskId: string): Promise<string> {
  await syncBoth();
  const [place = ''] = [laptop, desktop].map((agent) => {
    const at = notePath(view(agent, taskId)) ?? '';
    expect(existsSync(path.join(agent.config.vault, at)), `${agent.config.agent} ${at}`).toBe(true);
    return at;
  });
  return path.dirname(place);
}

describe('a claim by a person', () => {
  it('moves the note to In_Progress on every machine, and is safe to repeat', async () => {
    const taskId = await waiting();
    await claimTask(laptop, taskId);
    const entries = world.ledger.rows.length;
    await claimTask(laptop, taskId);
    expect(world.ledger.rows.length).toBe(entries);
    expect(await places(taskId)).toBe('In_Progress/laptop');
    expect(await world.tasks.get(taskId)).toMatchObject({
      owner: 'laptop',
      state: 'drafting',
      home: 'local',
      epoch: 1,
    });
    expect((await verifyVault(laptop)).problems).toEqual([]);
    expect(await ownerReport(desktop, taskId)).toMatchObject({ agree: true, ledger: { owner: 'laptop' } });
  });

  it('is refused to all others, who are told what they can do', async () => {
    const taskId = await waiting();
    await claimTask(laptop, taskId);
    await expect(claimTask(desktop, taskId)).rejects.toThrow(/held by laptop.*transfer.*--takeover/);
    const drafted = await world.draft('tea');
    await expect(claimTask(desktop, drafted)).rejects.toThrow('only what waits in Needs_Action/');
  });

  it('is refused while the cloud drafts, and changes nothing', async () => {
    const taskId = await waiting();
    await claimedByCloud(world, taskId);
    const before = world.ledger.rows.length;
    await expect(claimTask(laptop, taskId)).rejects.toThrow('cloud holds it at this moment');
    expect(world.ledger.rows.length).toBe(before);
    expect(await places(taskId)).toBe('Needs_Action');
  });

  it('lets the person write the draft and send it to approval', async () => {
    const taskId = await waiting();
    await claimTask(laptop, taskId);
    const file = path.join(laptop.config.vault, notePath(view(laptop, taskId)) ?? '');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Tuesday', 'Friday'));
    await syncVault(laptop);
    expect(readFileSync(file, 'utf8')).toContain('Friday');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Friday', 'Sunday'));
    await releaseTask(laptop, taskId, 'pending_approval');
    expect(await places(taskId)).toBe('Pending_Approval');
    const note = path.join(desktop.config.vault, notePath(view(desktop, taskId)) ?? '');
    expect(readFileSync(note, 'utf8')).toContain('Sunday');
    expect(await world.tasks.get(taskId)).toMatchObject({ state: 'pending_approval', home: 'local' });
    expect((await verifyVault(desktop)).problems).toEqual([]);
  });

  it('does not go to approval with a note that could not be run', async () => {
    const taskId = await waiting();
    await claimTask(laptop, taskId);
    const file = path.join(laptop.config.vault, notePath(view(laptop, taskId)) ?? '');
    writeFileSync(file, 'no front matter');
    await expect(releaseTask(laptop, taskId, 'pending_approval')).rejects.toMatchObject({
      code: 'NOTE_FORMAT',
    });
    expect(view(laptop, taskId)).toMatchObject({ state: 'drafting', owner: 'laptop' });
  });

  it('is released to wait again, at home with its owner, safe to repeat', async () => {
    const taskId = await waiting();
    await claimTask(laptop, taskId);
    await releaseTask(laptop, taskId, 'needs_action');
    await releaseTask(laptop, taskId, 'needs_action');
    expect(await places(taskId)).toBe('Needs_Action');
    expect(await world.tasks.get(taskId)).toMatchObject({ state: 'needs_action', home: 'local', epoch: 1 });
    await expect(claimedByCloud(world, taskId)).rejects.toThrow('could not claim');
    await claimTask(desktop, taskId);
    expect(await places(taskId)).toBe('In_Progress/desktop');
  });

  it('is handed over in one step, and the old holder can do nothing more', async () => {
    const taskId = await waiting();
    await claimTask(laptop, taskId);
    await transferTask(laptop, taskId, 'desktop');
    await transferTask(laptop, taskId, 'desktop');
    expect(await places(taskId)).toBe('In_Progress/desktop');
    await expect(releaseTask(laptop, taskId, 'needs_action')).rejects.toThrow('desktop holds it');
    expect(await world.tasks.renew({ taskId, owner: 'laptop', epoch: 1 })).toEqual({ won: false });
    await releaseTask(desktop, taskId, 'needs_action');
    expect(await places(taskId)).toBe('Needs_Action');
    expect((await verifyVault(laptop)).problems).toEqual([]);
  });

  it('is handed to machines of the vault alone', async () => {
    const taskId = await waiting();
    await claimTask(laptop, taskId);
    await expect(transferTask(laptop, taskId, 'tablet')).rejects.toThrow('there are: laptop, desktop');
    await expect(transferTask(laptop, taskId, 'cloud')).rejects.toThrow('nothing is handed to the cloud');
  });
});

describe('F22 notes in the way of a claim', () => {
  it('a file that stands at the destination is kept, and so is the note', async () => {
    const taskId = await waiting();
    const name = view(laptop, taskId).note?.name ?? '';
    const there = path.join(laptop.config.vault, 'In_Progress', 'laptop', name);
    mkdirSync(path.dirname(there), { recursive: true });
    writeFileSync(there, 'something of mine');
    await claimTask(laptop, taskId);
    await syncVault(laptop);
    await syncVault(laptop);
    expect(await places(taskId)).toBe('In_Progress/laptop');
    const kept = [...laptop.session.state.files].filter(([file]) => file.startsWith('Conflicts/'));
    expect(JSON.stringify(kept)).toContain('laptop');
  });

  it('an editor that saves at the old path once more loses nothing', async () => {
    const taskId = await waiting();
    const old = path.join(laptop.config.vault, notePath(view(laptop, taskId)) ?? '');
    const text = readFileSync(old, 'utf8');
    await claimTask(laptop, taskId);
    writeFileSync(old, text.replace('Tuesday', 'Monday'));
    await syncVault(laptop);
    await syncVault(laptop);
    const all = [...laptop.session.state.files.keys(), notePath(view(laptop, taskId)) ?? ''];
    const texts = all
      .map((file) => path.join(laptop.config.vault, file))
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, 'utf8'));
    expect(texts.some((each) => each.includes('Monday'))).toBe(true);
    expect(await places(taskId)).toBe('In_Progress/laptop');
  });
});

describe('an item that does not say what the ledger says', () => {
  it('far ahead, as nobody honest leaves it, blocks nobody', async () => {
    const taskId = await waiting();
    const item = world.tasks.items.get(taskId);
    if (!item) throw new Error('arranged badly');
    world.tasks.items.set(taskId, { ...item, epoch: 1_000_000_000 });
    expect(await ownerReport(laptop, taskId)).toMatchObject({ agree: false });
    await claimTask(laptop, taskId);
    expect(await world.tasks.get(taskId)).toMatchObject({ owner: 'laptop', epoch: 1 });
    expect(laptop.session.state.refusals).toEqual([]);
  });

  it('ahead by claims that died is followed', async () => {
    const taskId = await waiting();
    const item = world.tasks.items.get(taskId);
    if (!item) throw new Error('arranged badly');
    world.tasks.items.set(taskId, { ...item, epoch: 7 });
    await claimTask(laptop, taskId);
    expect(view(laptop, taskId)).toMatchObject({ owner: 'laptop', epoch: 8 });
  });

  it('behind, because the cloud raised the ledger’s epoch as far as it may, is lifted', async () => {
    const taskId = await waiting();
    const { note } = view(laptop, taskId);
    if (!note) throw new Error('arranged badly');
    const up = { taskId, epoch: EPOCH_WINDOW, owner: 'cloud' } as const;
    await world.forge('cloud', {
      kind: 'task',
      changes: [
        { ...up, event: 'draft_started' },
        { ...up, event: 'draft_abandoned', home: 'cloud' },
      ],
    });
    await claimTask(laptop, taskId);
    expect(await world.tasks.get(taskId)).toMatchObject({ owner: 'laptop', epoch: EPOCH_WINDOW + 1 });
    expect(view(laptop, taskId)).toMatchObject({ owner: 'laptop', epoch: EPOCH_WINDOW + 1 });
  });

  it('gone with its table is made anew', async () => {
    const taskId = await waiting();
    world.tasks.items.delete(taskId);
    expect(await ownerReport(laptop, taskId)).toMatchObject({ agree: false, item: null });
    await claimTask(laptop, taskId);
    expect(await ownerReport(laptop, taskId)).toMatchObject({ agree: true });
  });
});

describe('F21 a transfer', () => {
  it('of which the entry was never written is told by whoever comes first', async () => {
    for (const first of ['laptop', 'desktop'] as const) {
      const taskId = await waiting(first);
      await claimTask(laptop, taskId);
      const dying = world.machine('laptop').restart({
        ledger: {
          read: (vaultId, after) => world.ledger.read(vaultId, after),
          append: () => Promise.reject(new Error('died')),
        },
      });
      await expect(transferTask(dying, taskId, 'desktop')).rejects.toThrow('died');
      expect(await ownerReport(desktop, taskId)).toMatchObject({ agree: false });
      laptop = world.machine('laptop').restart();
      if (first === 'laptop') await settleClaims(laptop);
      else await claimTask(desktop, taskId);
      expect(await places(taskId)).toBe('In_Progress/desktop');
      expect(await ownerReport(desktop, taskId)).toMatchObject({
        agree: true,
        ledger: { owner: 'desktop', epoch: 2 },
      });
      expect(laptop.session.state.refusals).toEqual([]);
    }
  });
});
