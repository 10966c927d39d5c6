import { rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { executeApproved } from '#local-agent/execute.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { CrashError, crashingPorts } from './crash-ports.ts';
import { createLocalWorld } from './local-world.ts';
import type { LocalWorld } from './local-world.ts';
import { VaultHand } from './vault-hand.ts';

const TEXT = 'Hello Alice,\n\nTuesday suits me.\n\nSee you.\n\nRobin';
const NAMES = ['merged', 'clashing', 'dragged', 'deleted', 'renamed', 'rejected', 'twin'] as const;

/** Everything that a person and an editor can do to notes, on two machines, before the first one syncs. */
async function morning(): Promise<{ made: LocalWorld; tasks: Map<string, string>; written: string[] }> {
  const made = await createLocalWorld(['laptop', 'desktop']);
  const desktop = made.machine('desktop');
  const tasks = new Map<string, string>();
  for (const name of NAMES) tasks.set(name, await made.draft(name, TEXT));
  await syncVault(made.agent);
  await syncVault(desktop.agent);
  const [hand, other] = [new VaultHand(made), new VaultHand(desktop)];
  const id = (name: (typeof NAMES)[number]): string => tasks.get(name) ?? '';
  other.edit(id('merged'), 'See you', 'Looking forward');
  other.edit(id('clashing'), 'Tuesday', 'Friday');
  await syncVault(desktop.agent);
  hand.edit(id('merged'), 'Tuesday', 'Thursday');
  hand.edit(id('clashing'), 'Tuesday', 'Monday');
  hand.edit(id('renamed'), 'Tuesday', 'Sunday');
  const written = ['merged', 'clashing', 'renamed'].map((name) =>
    hand.read(hand.place(tasks.get(name) ?? '')),
  );
  hand.drag(id('dragged'), 'Done');
  rmSync(path.join(made.vault, hand.place(id('deleted'))));
  hand.move(hand.place(id('renamed')), 'Needs_Attention/Mine.md');
  hand.drag(id('rejected'), 'Rejected');
  hand.write(`In_Progress/laptop/twin.md`, hand.read(hand.place(id('twin'))).replace('Tuesday', 'Saturday'));
  hand.write('Approved/pay.md', 'pay invoice 42\n');
  written.push(hand.read('In_Progress/laptop/twin.md'));
  return { made, tasks, written };
}

/**
 * Lets a machine die at every `step`-th call of any port while it brings notes in step. Two restarts later
 * nothing is lost, nothing doubled, and both machines have the tree that they have without any death.
 */
export async function sweepNotes(step: number, open: Set<LocalWorld>): Promise<void> {
  const quiet = await morning();
  const counted = crashingPorts(quiet.made.agent, { at: 0, when: 'before' });
  await syncVault(quiet.made.restart(counted.ports));
  const wanted = Object.keys(await settled(quiet.made));
  const total = counted.calls();
  quiet.made.dispose();
  expect(wanted.filter((name) => name.startsWith('Conflicts/'))).toHaveLength(2);
  expect(total).toBeGreaterThan(40);

  for (let at = 1; at <= total; at += step) {
    for (const when of ['before', 'after'] as const) {
      const { made, tasks, written } = await morning();
      open.add(made);
      const where = `died ${when} call ${at} of ${total}`;
      const dying = made.restart(crashingPorts(made.agent, { at, when }).ports);
      await expect(syncVault(dying), where).rejects.toThrow(CrashError);

      await syncVault(made.restart());
      const last = made.restart();
      const tree = await settled(made, last);
      expect(Object.keys(tree), where).toEqual(wanted);
      expect(last.session.state.tasks.get(tasks.get('rejected') ?? '')?.state, where).toBe('rejected');
      expect(tree[placeOf(tree, 'merged')], where).toContain('Thursday suits me.\n\nLooking forward.');
      const { length } = made.ledger.rows;
      const entries = Array.from({ length }, (_, index) => index + 1);
      for (const text of written) {
        const kept = entries.some((n) => last.copy.contentAt(n, sha256Hex(text)) !== undefined);
        expect(kept || Object.values(tree).includes(text), `${where}: ${text}`).toBe(true);
      }
      expect((await verifyVault(last)).problems, where).toEqual([]);
      await executeApproved(last);
      expect(made.tools.calls, where).toEqual([]);
      made.dispose();
      open.delete(made);
    }
  }
}

/** Both machines in step, and a further sync of either writes nothing; the tree that both have then. */
async function settled(made: LocalWorld, agent = made.restart()): Promise<Record<string, string>> {
  const desktop = made.machine('desktop');
  await syncVault(agent);
  await syncVault(desktop.agent);
  await syncVault(agent);
  const { length } = made.ledger.rows;
  for (const one of [agent, desktop.agent])
    expect(await syncVault(one)).toMatchObject({ pushed: 0, applied: 0 });
  expect(made.ledger.rows).toHaveLength(length);
  const tree = new VaultHand(made).tree();
  expect(new VaultHand(desktop).tree()).toEqual(tree);
  return tree;
}

function placeOf(tree: Record<string, string>, name: string): string {
  return Object.keys(tree).find((found) => found.includes(`About ${name}`)) ?? '';
}
