import { expect } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { LocalWorld } from './local-world.ts';
import { VaultHand } from './vault-hand.ts';

/** Cuts an approved note at every `step`-th byte: each time the approval is void and nothing runs. */
export async function cutApproved(world: LocalWorld, step: number): Promise<void> {
  const hand = new VaultHand(world);
  const taskId = await world.draft();
  await syncVault(world.agent);
  const whole = hand.read(hand.place(taskId));
  for (let at = 0; at < whole.length; at += step) {
    await approveTask(world.agent, taskId, { method: 'command' });
    hand.write(hand.place(taskId), whole.slice(0, at));
    await syncVault(world.agent);
    await executeApproved(world.agent);
    expect(world.tools.calls, `cut at ${at}`).toEqual([]);
    expect(hand.task(taskId).state, `cut at ${at}`).toBe('pending_approval');
    expect(hand.read(hand.place(taskId)), `cut at ${at}`).toContain('AI Employee: approval void');
    hand.write(hand.place(taskId), whole);
    await syncVault(world.agent);
  }
}

/** Cuts a draft at every `step`-th byte and moves it into `Approved/`: it is never approved. */
export async function cutAndMoved(world: LocalWorld, step: number): Promise<void> {
  const hand = new VaultHand(world);
  const taskId = await world.draft();
  await syncVault(world.agent);
  const whole = hand.read(hand.place(taskId));
  for (let at = 0; at < whole.length; at += step) {
    hand.write(hand.place(taskId), whole.slice(0, at));
    hand.drag(taskId, 'Approved');
    expect((await syncVault(world.agent)).wishes, `cut at ${at}`).toEqual([]);
    expect(hand.task(taskId).state, `cut at ${at}`).toBe('pending_approval');
    hand.write(hand.place(taskId), whole);
    await syncVault(world.agent);
  }
  await executeApproved(world.agent);
  expect(world.tools.calls).toEqual([]);
}

/** Notes of no known task, cut at every `step`-th byte, in `Approved/`: all are quarantined. */
export async function cutStrays(world: LocalWorld, step: number): Promise<void> {
  const hand = new VaultHand(world);
  const taskId = await world.draft();
  await syncVault(world.agent);
  const whole = hand.read(hand.place(taskId)).replace(/^task: .*$/m, 'task: t00000000000000000000');
  for (let at = 0; at < whole.length; at += step) hand.write(`Approved/cut ${at}.md`, whole.slice(0, at));
  expect((await syncVault(world.agent)).wishes).toEqual([]);
  await executeApproved(world.agent);
  expect(world.tools.calls).toEqual([]);
  expect(Object.keys(hand.tree()).filter((name) => name.startsWith('Approved/'))).toEqual([]);
  const states = [...world.agent.session.state.tasks.values()].map(({ state }) => state);
  expect(states.filter((state) => state === 'quarantined')).toHaveLength(Math.ceil(whole.length / step));
}
