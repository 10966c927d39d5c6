import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { inbox } from '#local-agent/inbox.ts';
import { previewTask } from '#local-agent/show.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld, Machine } from '#test/support/local-world.ts';
import { VaultHand } from '#test/support/vault-hand.ts';

let world: LocalWorld;
let desktop: Machine;
let hand: VaultHand;
let other: VaultHand;

beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
  desktop = world.machine('desktop');
  hand = new VaultHand(world);
  other = new VaultHand(desktop);
});
afterEach(() => {
  world.dispose();
});

/** A draft that waits, on both machines. */
async function waiting(text = 'Hello Alice,\n\nTuesday suits me.\n\nSee you.\n\nRobin'): Promise<string> {
  const taskId = await world.draft('lunch', text);
  await syncVault(world.agent);
  await syncVault(desktop.agent);
  return taskId;
}

async function settle(): Promise<void> {
  await inStep();
  expect(await verifyVault(world.agent)).toMatchObject({ problems: [] });
}

async function inStep(): Promise<void> {
  await syncVault(world.agent);
  await syncVault(desktop.agent);
  await syncVault(world.agent);
  const { length } = world.ledger.rows;
  for (const { agent } of [world, desktop]) {
    expect(await syncVault(agent)).toMatchObject({ pushed: 0, applied: 0 });
  }
  expect(world.ledger.rows).toHaveLength(length);
  expect(other.tree()).toEqual(hand.tree());
}

describe('a note that was edited on two machines (FAILURES 24)', () => {
  it('in different places holds both edits', async () => {
    const taskId = await waiting();
    hand.edit(taskId, 'Tuesday', 'Thursday');
    other.edit(taskId, 'See you', 'Looking forward');
    await settle();
    expect(hand.read(hand.place(taskId))).toContain('Thursday suits me.\n\nLooking forward.');
    expect(hand.tree()).toEqual({ [hand.place(taskId)]: hand.read(hand.place(taskId)) });
  });

  it('in different keys of the front matter, though they are neighbours, holds both', async () => {
    const taskId = await waiting();
    hand.edit(taskId, 'subject: "Re: About lunch"', 'subject: Lunch');
    other.edit(taskId, 'cc: []', 'cc:\n  - bo@pinewood.example');
    await settle();
    expect((await previewTask(world.agent, taskId)).actions).toMatchObject([
      { subject: 'Lunch', cc: ['bo@pinewood.example'] },
    ]);
  });

  it('in the same line is kept twice: once in its place, once as a conflict, and says so', async () => {
    const taskId = await waiting();
    hand.edit(taskId, 'Tuesday', 'Thursday');
    other.edit(taskId, 'Tuesday', 'Friday');
    await syncVault(world.agent);
    const report = await syncVault(desktop.agent);
    expect(report.conflicts).toHaveLength(1);
    await settle();
    const [copy = ''] = report.conflicts;
    expect(copy).toMatch(/^Conflicts\/.* \(desktop [0-9a-f]{8}\)\.md$/);
    expect(hand.read(copy)).toContain('Friday');
    expect(hand.read(hand.place(taskId))).toContain('Thursday');
    expect(hand.read(hand.place(taskId))).toContain('> [!warning] AI Employee: both versions kept');
    expect(Object.keys(hand.tree())).toHaveLength(2);
    expect(inbox(world.agent)[0]?.why).toContain('both versions kept');
    const [conflict] = world.agent.session.state.conflicts.values();
    expect(conflict).toMatchObject({ copy, writer: 'desktop', ours: sha256Hex(hand.read(copy)) });
  });

  it('alike is one edit', async () => {
    const taskId = await waiting();
    hand.edit(taskId, 'Tuesday', 'Thursday');
    other.edit(taskId, 'Tuesday', 'Thursday');
    await settle();
    expect(Object.keys(hand.tree())).toHaveLength(1);
  });

  it('and came with other line ends on one of them holds both', async () => {
    const taskId = await waiting();
    hand.write(hand.place(taskId), hand.read(hand.place(taskId)).replaceAll('\n', '\r\n'));
    other.edit(taskId, 'Tuesday', 'Thursday');
    await settle();
    expect(hand.read(hand.place(taskId))).toContain('Thursday suits me.\r\n');
    expect(Object.keys(hand.tree())).toHaveLength(1);
  });

  it('keeps in the history what each person wrote, byte for byte', async () => {
    const taskId = await waiting();
    hand.edit(taskId, 'Tuesday', 'Thursday');
    other.edit(taskId, 'See you', 'Looking forward');
    const written = [hand, other].map((one) => one.read(one.place(taskId)));
    await settle();
    const kept = new Set<string>();
    for (const { n } of world.agent.copy.entries()) {
      for (const text of written) if (world.agent.copy.contentAt(n, sha256Hex(text))) kept.add(text);
    }
    expect(kept.size).toBe(2);
  });

  it('loses nothing when the other machine is faster between the look and the entry', async () => {
    const taskId = await waiting();
    hand.edit(taskId, 'Tuesday', 'Thursday');
    other.edit(taskId, 'See you', 'Looking forward');
    let raced = false;
    const { ledger } = world;
    const slow = world.restart({
      ledger: {
        ...ledger,
        append: async (entry) => {
          if (!raced) {
            raced = true;
            await syncVault(desktop.agent);
          }
          return ledger.append(entry);
        },
      },
    });
    await syncVault(slow);
    await syncVault(slow);
    await syncVault(desktop.agent);
    expect(hand.read(other.place(taskId))).toContain('Thursday suits me.\n\nLooking forward.');
    expect(other.tree()).toEqual(hand.tree());
  });
});

describe('an edit that meets a decision', () => {
  it('made here, of a note that was approved elsewhere: the approval is void, and says so on both', async () => {
    const taskId = await waiting();
    await approveTask(desktop.agent, taskId, { method: 'command' });
    hand.edit(taskId, 'Tuesday', 'Never');
    await syncVault(world.agent);
    await executeApproved(desktop.agent);
    expect(desktop.tools.calls).toEqual([]);
    await settle();
    const text = other.read(other.place(taskId));
    expect(text).toContain('Never');
    expect(text).toContain('> [!warning] AI Employee: approval void');
    expect(inbox(desktop.agent)[0]?.why).toContain('approve it again');
  });

  it('and what was approved had been edited there as well: merged, and void', async () => {
    const taskId = await waiting();
    other.edit(taskId, 'See you', 'Looking forward');
    await approveTask(desktop.agent, taskId, { method: 'command' });
    hand.edit(taskId, 'Tuesday', 'Never');
    await settle();
    expect(hand.read(hand.place(taskId))).toContain('Never suits me.\n\nLooking forward.');
    expect(hand.task(taskId).state).toBe('pending_approval');
  });

  it('and the two cannot be merged: void, and both versions are kept', async () => {
    const taskId = await waiting();
    other.edit(taskId, 'Tuesday', 'Friday');
    await approveTask(desktop.agent, taskId, { method: 'command' });
    hand.edit(taskId, 'Tuesday', 'Never');
    await settle();
    await executeApproved(desktop.agent);
    expect(desktop.tools.calls).toEqual([]);
    expect(hand.task(taskId).state).toBe('pending_approval');
    expect(Object.values(hand.tree()).join()).toContain('Never');
    expect(hand.read(hand.place(taskId))).toContain('Friday');
  });

  it('approved here while it was edited elsewhere: what nobody looked at is not approved', async () => {
    const taskId = await waiting();
    other.edit(taskId, 'Tuesday', 'Never');
    await syncVault(desktop.agent);
    await expect(approveTask(world.agent, taskId, { method: 'command' })).rejects.toThrow(
      'changed elsewhere',
    );
    await settle();
    expect(hand.read(hand.place(taskId))).toContain('Never');
  });

  it('made while the cloud drafts is kept aside, and the draft says where once it is there', async () => {
    const taskId = await waiting();
    const { epoch, note } = hand.task(taskId);
    await world.forge('local', {
      kind: 'task',
      changes: [{ taskId, epoch, event: 'redraft', reason: 'shorter' }],
    });
    await syncVault(world.agent);
    await world.forge('cloud', {
      kind: 'task',
      changes: [{ taskId, epoch: epoch + 1, event: 'draft_started', owner: 'cloud' }],
    });
    await syncVault(world.agent);
    hand.edit(taskId, 'Tuesday', 'My own words');
    const report = await syncVault(world.agent);
    expect(hand.read(report.conflicts[0] ?? '')).toContain('My own words');
    expect(hand.read(hand.place(taskId))).not.toContain('My own words');
    await world.forge('cloud', {
      kind: 'task',
      changes: [{ taskId, epoch: epoch + 1, event: 'drafted', owner: 'cloud', ...(note ? { note } : {}) }],
    });
    await inStep();
    expect(hand.read(hand.place(taskId))).toContain(report.conflicts[0]);
  });
});
