import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { claimTask, tellClaimed } from '#local-agent/claims/claim-task.ts';
import { releaseTask } from '#local-agent/claims/release-task.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { waitingTask } from '#test/support/waiting-task.ts';

let world: LocalWorld;
let laptop: Agent;
beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
  laptop = world.machine('laptop').agent;
});
afterEach(() => {
  world.dispose();
});

/** The desktop, to which something happens in the moment before it looks at the item for the first time. */
function desktopMeeting(meanwhile: () => Promise<unknown>): Agent {
  let met = false;
  const get: Agent['tasks']['get'] = async (taskId) => {
    if (!met) {
      met = true;
      await meanwhile();
    }
    return world.tasks.get(taskId);
  };
  return world.machine('desktop').restart({ tasks: { ...world.tasks, get } });
}

async function handOver(taskId: string, epoch: number): Promise<void> {
  const proof = { taskId, owner: 'laptop', epoch, newOwner: 'desktop', zone: 'local' } as const;
  const { won } = await laptop.tasks.transfer({ ...proof, attemptId: 'a-transfer' });
  expect(won).toBe(true);
}

// Both were found by the model of machines, as the shortest ways to a ledger and a store that name different holders.
it('a task that is handed to a machine while its own claim is refused is not put back', async () => {
  const taskId = await waitingTask(world);
  await syncVault(laptop);
  const claim = await world.tasks.claim({
    ...{ taskId, owner: 'laptop', attemptId: 'a-claim', zone: 'local', leaseMs: 60_000 },
    ...{ from: ['received', 'needs_action'], to: 'drafting' },
  });
  expect(claim.won).toBe(true);
  const desktop = desktopMeeting(async () => {
    await tellClaimed(laptop, taskId, 1);
    await handOver(taskId, 1);
  });

  await expect(claimTask(desktop, taskId)).rejects.toThrow('was not claimed');

  expect(world.tasks.items.get(taskId)).toMatchObject({ state: 'drafting', owner: 'desktop', epoch: 2 });
});

it('a task that comes back to a machine while it puts it down stays with it', async () => {
  const taskId = await waitingTask(world);
  await syncVault(laptop);
  const desktop = desktopMeeting(async () => {
    await claimTask(laptop, taskId);
    await handOver(taskId, 2);
  });
  await syncVault(desktop);
  await claimTask(desktop, taskId);

  await releaseTask(desktop, taskId, 'needs_action');

  expect(world.tasks.items.get(taskId)).toMatchObject({ state: 'drafting', owner: 'desktop', epoch: 3 });
});
