import { afterEach, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { CrashError, crashingPorts } from '#test/support/crash-ports.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld | undefined;

afterEach(() => {
  world?.dispose();
  world = undefined;
});

/** The owner's morning: look, approve what waits, let it run. */
async function morning(agent: Agent): Promise<void> {
  await syncVault(agent);
  for (const task of [...agent.session.state.tasks.values()]) {
    if (task.state === 'pending_approval') await approveTask(agent, task.taskId, { method: 'command' });
  }
  await executeApproved(agent);
  await syncVault(agent);
}

async function callsOfAQuietMorning(): Promise<number> {
  const quiet = await createLocalWorld();
  try {
    await quiet.draft();
    const { ports, calls } = crashingPorts(quiet.agent, { at: 0, when: 'before' });
    await morning(quiet.restart(ports));
    return calls();
  } finally {
    quiet.dispose();
  }
}

it(
  'dying at any call of any port sends at most once, and two restarts end in order',
  { timeout: 120_000 },
  async () => {
    const total = await callsOfAQuietMorning();
    expect(total).toBeGreaterThan(20);
    const ends = new Map<string, number>();
    for (let at = 1; at <= total; at++) {
      for (const when of ['before', 'after'] as const) {
        world = await createLocalWorld();
        const taskId = await world.draft();
        const dying = world.restart(crashingPorts(world.agent, { at, when }).ports);
        await expect(morning(dying), `call ${at} ${when}`).rejects.toThrow(CrashError);

        await morning(world.restart());
        const last = world.restart();
        await morning(last);

        const where = `died ${when} call ${at} of ${total}`;
        expect(world.tools.calls.length, where).toBeLessThanOrEqual(1);
        const task = last.session.state.tasks.get(taskId);
        const item = await world.tasks.get(taskId);
        expect(item?.state, where).toBe(task?.state);
        expect(item?.owner, where).toBeUndefined();
        expect((await verifyVault(last)).problems, where).toEqual([]);
        // Whether the mail went out is known, or said to be unknown; never guessed.
        if (task?.state === 'done') expect(world.tools.calls, where).toHaveLength(1);
        else expect(task?.state, where).toMatch(/^(failed|indeterminate)$/);
        if (task?.state === 'failed') expect(world.tools.calls, where).toHaveLength(0);
        ends.set(task?.state ?? 'none', (ends.get(task?.state ?? 'none') ?? 0) + 1);
        const before = world.ledger.rows.length;
        await syncVault(world.restart());
        expect(world.ledger.rows.length, `${where}: a further sync writes nothing`).toBe(before);
        world.dispose();
        world = undefined;
      }
    }
    // Only a death around the call itself may leave the outcome open.
    expect(ends.get('indeterminate') ?? 0).toBeLessThanOrEqual(6);
    expect(ends.get('done') ?? 0).toBeGreaterThan(total);
  },
);
