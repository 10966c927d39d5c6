import { symlinkSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { inbox } from '#local-agent/inbox.ts';
import { previewTasks } from '#local-agent/preview-cache.ts';
import type { Preview } from '#local-agent/show.ts';
import { scanVault } from '#local-agent/sync/scan.ts';
import { syncNotes } from '#local-agent/sync/sync-notes.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { VaultHand } from '#test/support/vault-hand.ts';

let world: LocalWorld;
let hand: VaultHand;

beforeEach(async () => {
  world = await createLocalWorld();
  hand = new VaultHand(world);
});
afterEach(() => {
  world.dispose();
});

/** The machine with a list of what is asked of its disk, on which everything was written long ago. */
function watched(): { agent: Agent; calls: string[] } {
  const calls: string[] = [];
  const { files } = world.agent;
  const agent = world.restart({
    files: {
      ...files,
      list: async () => (await files.list()).map((stat) => ({ ...stat, settled: true })),
      read: (name) => {
        calls.push(`read ${name}`);
        return files.read(name);
      },
      stat: async (name) => {
        calls.push(`stat ${name}`);
        const stat = await files.stat(name);
        return stat && { ...stat, settled: true };
      },
    },
  });
  return { agent, calls };
}

async function manyWaiting(count: number): Promise<string[]> {
  const taskIds: string[] = [];
  for (let i = 0; i < count; i++) taskIds.push(await world.draft(`mail ${i}`));
  await syncVault(world.agent);
  return taskIds;
}

it('notes that stand where they should cost neither a read nor a look, nor do notes of no task', async () => {
  await manyWaiting(20);
  hand.write('Needs_Action/by hand.md', 'pay invoice 42');
  const { agent, calls } = watched();
  await syncVault(agent);
  await syncVault(agent);
  calls.length = 0;
  const scan = await scanVault(agent);
  const report = await syncNotes(agent, scan);
  expect(report).toMatchObject({ applied: 0, pushed: 0, explained: [], changes: [] });
  expect(report.strays).toHaveLength(1);
  expect(calls).toEqual([]);
});

it('a note that was saved anew with the same bytes is the note, and a move of it counts', async () => {
  const [taskId = ''] = await manyWaiting(1);
  const place = hand.place(taskId);
  const text = hand.read(place);
  hand.move(place, 'Journal/x.md');
  hand.write(place, text);
  hand.move('Journal/x.md', 'Journal/y.md');
  await syncVault(world.agent);
  hand.drag(taskId, 'Approved');
  expect((await syncVault(world.agent)).wishes).toMatchObject([{ outcome: 'approved' }]);
});

it('a link in the place of a note is named and left alone', async () => {
  const [taskId = ''] = await manyWaiting(1);
  const place = hand.place(taskId);
  hand.move(place, 'Journal/x.md');
  symlinkSync(path.join(world.vault, 'Journal', 'x.md'), path.join(world.vault, place));
  const { length } = world.ledger.rows;
  const report = await syncVault(world.agent);
  expect(report.withheld.map((one) => one.path)).toContain(place);
  // The file that it points to is one of the owner's own; nothing is said of the note.
  expect(world.ledger.rows.length).toBeLessThanOrEqual(length + 1);
  expect(hand.task(taskId).explained).toBeUndefined();
});

it('what waits is shown from what is known, and anew where the note, the task or an attached file may differ', async () => {
  const taskIds = await manyWaiting(5);
  const { agent, calls } = watched();
  await syncVault(agent);
  const preview = (before: readonly Preview[]): Promise<Preview[]> => previewTasks(agent, taskIds, before);
  const first = await preview([]);
  expect(first.map(({ actions }) => actions.length)).toEqual([1, 1, 1, 1, 1]);
  calls.length = 0;
  const second = await preview(first);
  expect(second.every((one, index) => one === first[index])).toBe(true);
  expect(calls.filter((call) => call.startsWith('read'))).toEqual([]);

  const [edited = '', attached = ''] = taskIds;
  hand.edit(edited, 'Tuesday', 'Thursday');
  hand.write('Papers/offer.txt', 'one');
  hand.edit(attached, 'attachments: []', 'attachments:\n  - Papers/offer.txt');
  for (const taskId of [edited, attached]) utimesSync(path.join(world.vault, hand.place(taskId)), 1, 1);
  const third = await preview(second);
  expect(third[0]?.text).toContain('Thursday');
  expect(third.slice(2)).toEqual(second.slice(2));
  const digest = third[1]?.actionsDigest;
  hand.write('Papers/offer.txt', 'two');
  expect((await preview(third))[1]?.actionsDigest).not.toBe(digest);

  await syncVault(agent);
  expect(inbox(agent)).toHaveLength(5);
  expect((await preview(third))[0]?.text).toContain('Thursday');
});
