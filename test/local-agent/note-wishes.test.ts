import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { rejectTask } from '#local-agent/reject.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import { cutAndMoved, cutApproved, cutStrays } from '#test/support/cut-notes.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { VaultHand } from '#test/support/vault-hand.ts';

let world: LocalWorld;
let hand: VaultHand;

beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
  hand = new VaultHand(world);
});
afterEach(() => {
  world.dispose();
});

async function waiting(name = 'lunch'): Promise<string> {
  const taskId = await world.draft(name);
  await syncVault(world.agent);
  return taskId;
}

function approvedPlace(taskId: string): string {
  return hand.place(taskId).replace('Pending_Approval', 'Approved');
}

/** Whatever a program writes into the vault while the daemon is down: another file with some bytes. */
function writtenByAnotherProgram(taskId: string, text: string): void {
  rmSync(path.join(world.vault, hand.place(taskId)));
  hand.write(approvedPlace(taskId), text);
}

async function expectNothingRan(taskId: string): Promise<void> {
  await executeApproved(world.agent);
  expect(world.tools.calls).toEqual([]);
  expect(hand.task(taskId).state).toBe('pending_approval');
  expect(hand.has(hand.place(taskId))).toBe(true);
}

describe('a note that came into Approved/ by another hand (FAILURES 35)', () => {
  it('of a sync or Git, with the very bytes, is put back and says why: nothing was moved', async () => {
    const taskId = await waiting();
    writtenByAnotherProgram(taskId, hand.read(hand.place(taskId)));
    const report = await syncVault(world.agent);
    expect(report.wishes).toEqual([]);
    expect(report.explained.join()).toContain('written there anew');
    await expectNothingRan(taskId);
    // The person looks at it and moves it: that counts.
    hand.drag(taskId, 'Approved');
    expect((await syncVault(world.agent)).wishes).toMatchObject([{ outcome: 'approved' }]);
  });

  it('of a rebase that carried an edit of somebody else along the rename is the edit of a draft, and no more', async () => {
    const taskId = await waiting();
    writtenByAnotherProgram(taskId, hand.read(hand.place(taskId)).replace('Tuesday', 'Send me money'));
    expect((await syncVault(world.agent)).wishes).toEqual([]);
    await expectNothingRan(taskId);
    expect(hand.read(hand.place(taskId))).toContain('Send me money');
  });

  it('of a person who moved a file that was edited in the same breath is put back with the edit', async () => {
    const taskId = await waiting();
    hand.edit(taskId, 'Tuesday', 'Never');
    hand.drag(taskId, 'Approved');
    expect((await syncVault(world.agent)).wishes).toEqual([]);
    await expectNothingRan(taskId);
  });

  it('on this machine while it was edited on another one is put back with the edit', async () => {
    const taskId = await waiting();
    const desktop = world.machine('desktop');
    await syncVault(desktop.agent);
    new VaultHand(desktop).edit(taskId, 'Tuesday', 'Never');
    await syncVault(desktop.agent);
    hand.drag(taskId, 'Approved');
    expect((await syncVault(world.agent)).wishes).toEqual([]);
    await expectNothingRan(taskId);
    expect(hand.read(hand.place(taskId))).toContain('Never');
  });

  it('and is edited on another machine between the look and the entry is not approved', async () => {
    const taskId = await waiting();
    const desktop = world.machine('desktop');
    await syncVault(desktop.agent);
    new VaultHand(desktop).edit(taskId, 'Tuesday', 'Never');
    hand.drag(taskId, 'Approved');
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
    const { wishes } = await syncVault(slow);
    expect(wishes).toMatchObject([
      { wish: 'approve', outcome: expect.stringContaining('not done') as string },
    ]);
    expect(slow.session.state.tasks.get(taskId)?.state).toBe('pending_approval');
    await syncVault(world.agent);
    await expectNothingRan(taskId);
    expect(hand.read(hand.place(taskId))).toContain('Never');
  });

  it('on two machines at once is approved once', async () => {
    const taskId = await waiting();
    const desktop = world.machine('desktop');
    await syncVault(desktop.agent);
    hand.drag(taskId, 'Approved');
    new VaultHand(desktop).drag(taskId, 'Approved');
    await syncVault(world.agent);
    await syncVault(desktop.agent);
    await executeApproved(desktop.agent);
    await executeApproved(world.agent);
    expect([...world.tools.calls, ...desktop.tools.calls]).toHaveLength(1);
  });
});

describe('a note that was cut short (FAILURES 33)', () => {
  it('in Approved/ after it was approved voids the approval', { timeout: 60_000 }, async () => {
    await cutApproved(world, 40);
  });

  it('and moved into Approved/ is not approved', { timeout: 60_000 }, async () => {
    await cutAndMoved(world, 20);
  });

  it('under a name that nobody knows is quarantined', { timeout: 60_000 }, async () => {
    await cutStrays(world, 20);
  });
});

describe('what the note itself explains', () => {
  it('is replaced by what happens next, never piled up', async () => {
    const taskId = await waiting();
    for (const folder of ['Done', 'Needs_Attention', 'In_Progress/laptop']) {
      hand.drag(taskId, folder);
      await syncVault(world.agent);
    }
    const text = hand.read(hand.place(taskId));
    expect(text.match(/\[!warning\] AI Employee/g)).toHaveLength(1);
    expect(text).toContain('It was found in In_Progress/laptop/');
  });

  it('is gone once the task is rejected', async () => {
    const taskId = await waiting();
    const before = hand.read(hand.place(taskId));
    hand.drag(taskId, 'Done');
    await syncVault(world.agent);
    hand.drag(taskId, 'Rejected');
    expect((await syncVault(world.agent)).wishes).toMatchObject([{ outcome: 'rejected' }]);
    expect(hand.tree()).toEqual({ [hand.place(taskId)]: before });
    expect(await syncVault(world.agent)).toMatchObject({ pushed: 0, applied: 0 });
  });

  it('is covered by the approval, and gone once the mail is sent', async () => {
    const taskId = await waiting();
    const before = hand.read(hand.place(taskId));
    hand.drag(taskId, 'Done');
    await syncVault(world.agent);
    const explained = hand.read(hand.place(taskId));
    await approveTask(world.agent, taskId, { method: 'command' });
    expect(hand.task(taskId).approval?.approval.statement.noteDigest).toBe(sha256Hex(explained));
    expect((await executeApproved(world.agent)).executed).toMatchObject([{ outcome: 'succeeded' }]);
    expect(JSON.stringify(world.tools.calls)).not.toContain('put back');
    expect(await syncVault(world.agent)).toMatchObject({ pushed: 0, conflicts: [] });
    expect(hand.tree()).toEqual({ [hand.place(taskId)]: before });
    expect(await verifyVault(world.agent)).toMatchObject({ problems: [] });
  });

  it('stays away when a person takes it out', async () => {
    const taskId = await waiting();
    const before = hand.read(hand.place(taskId));
    hand.drag(taskId, 'Done');
    await syncVault(world.agent);
    hand.write(hand.place(taskId), before);
    await syncVault(world.agent);
    await syncVault(world.agent);
    expect(hand.read(hand.place(taskId))).toBe(before);
    expect(hand.task(taskId).explained).toBeUndefined();
  });

  it('is written by the machine where it happened, and by no other', async () => {
    const taskId = await waiting();
    const desktop = world.machine('desktop');
    await syncVault(desktop.agent);
    hand.drag(taskId, 'Done');
    new VaultHand(desktop).drag(taskId, 'Needs_Attention');
    for (let round = 0; round < 4; round++) {
      await syncVault(world.agent);
      await syncVault(desktop.agent);
    }
    const { length } = world.ledger.rows;
    // Keys, mail, two steps of the draft in one entry, and one explanation from each of the two.
    expect(length).toBe(5);
    expect(new VaultHand(desktop).tree()).toEqual(hand.tree());
  });

  it('says why a wish was not granted', async () => {
    const taskId = await waiting();
    hand.edit(taskId, 'subject: "Re: About lunch"', 'subject: [one, two]');
    await syncVault(world.agent);
    hand.drag(taskId, 'Approved');
    const { wishes } = await syncVault(world.agent);
    expect(wishes).toMatchObject([{ outcome: expect.stringContaining('not done') as string }]);
    expect(hand.read(hand.place(taskId))).toMatch(/> \[!warning\] AI Employee: not approved\n> .*subject/);
    expect(await syncVault(world.agent)).toMatchObject({ pushed: 0, applied: 0 });
  });

  it('says why an approval does not hold any more', async () => {
    const taskId = await waiting();
    await approveTask(world.agent, taskId, { method: 'command' });
    world.clock.advance(73 * 3_600_000);
    await executeApproved(world.agent);
    expect(hand.read(hand.place(taskId))).toMatch(/AI Employee: approval void\n> .*expired/);
    expect(await syncVault(world.agent)).toMatchObject({ pushed: 0, conflicts: [] });
    expect(Object.keys(hand.tree())).toEqual([hand.place(taskId)]);
    await rejectTask(world.agent, taskId, 'too late');
    expect(hand.read(hand.place(taskId))).not.toContain('[!warning]');
  });
});

describe('what the other zone may not write (FAILURES 35): refused, and the vault as it was', () => {
  const text = '---\ntask: t00000000000000000000\nkind: mail\n---\n\nrun me\n';
  const content = { sha256: sha256Hex(text), sizeBytes: text.length, text };
  const forgeries: [string, (taskId: string, epoch: number) => LedgerBody][] = [
    [
      'a plain file in Approved/',
      () => ({ kind: 'files', changes: [{ op: 'put', path: 'Approved/x.md', content }] }),
    ],
    [
      'a note moved to Approved/',
      (taskId, epoch) => ({ kind: 'task', changes: [{ taskId, epoch, event: 'approved' }] }),
    ],
    [
      'an edit of a draft that waits',
      (taskId, epoch) => ({
        kind: 'task',
        changes: [{ taskId, epoch, event: 'edited', note: { name: 'x.md', content } }],
      }),
    ],
    [
      'a voided approval',
      (taskId, epoch) => ({ kind: 'task', changes: [{ taskId, epoch, event: 'voided', reason: 'x' }] }),
    ],
    [
      'a rejection',
      (taskId, epoch) => ({ kind: 'task', changes: [{ taskId, epoch, event: 'rejected', reason: 'x' }] }),
    ],
    ['a conflict', () => ({ kind: 'conflict', path: 'Journal/x.md', copy: 'Conflicts/x.md', content })],
    [
      'a file of the owner',
      () => ({ kind: 'files', changes: [{ op: 'put', path: 'Policy.yaml', content }] }),
    ],
    [
      'a note in the place of another',
      () => {
        const { name = '' } = [...world.agent.session.state.tasks.values()][0]?.note ?? {};
        const taskId = `t${'9'.repeat(20)}`;
        const change = {
          taskId,
          epoch: 0,
          event: 'created',
          state: 'needs_action',
          note: { name, content },
        } as const;
        return { kind: 'task', changes: [change] };
      },
    ],
  ];

  it.each(forgeries)('%s', async (_what, forgery) => {
    const taskId = await waiting();
    const before = hand.tree();
    const n = await world.forge('cloud', forgery(taskId, hand.task(taskId).epoch), { taskId, epoch: 1 });
    expect((await syncVault(world.agent)).incidents).toMatchObject([{ n }]);
    expect(hand.tree()).toEqual(before);
    await expectNothingRan(taskId);
  });
});
