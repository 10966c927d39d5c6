import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileTaskStore } from '#adapters/file-task-store.ts';
import type { Agent } from '#local-agent/agent.ts';
import { claimAnywhere } from '#local-agent/claims/claim-anywhere.ts';
import { claimPlans } from '#local-agent/claims/claim-plan.ts';
import { claimTask } from '#local-agent/claims/claim-task.ts';
import { claimOffline } from '#local-agent/claims/offline-claim.ts';
import { releaseTask } from '#local-agent/claims/release-task.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { notePath } from '#protocol/vault-state.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { waitingTask } from '#test/support/waiting-task.ts';

let folder: string;
let world: LocalWorld;
const worlds: LocalWorld[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'offline-'));
});
afterEach(() => {
  for (const made of worlds.splice(0)) made.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const offline = (): Promise<never> => Promise.reject(new Error('no network'));

/** The laptop of a vault with these machines, cut off, and a task that it had once released. */
async function cutOff(
  ...machines: [string, ...string[]]
): Promise<{ agent: Agent; store: TaskStore; taskId: string }> {
  world = await createLocalWorld(machines);
  worlds.push(world);
  const taskId = await waitingTask(world);
  await syncVault(world.agent);
  await claimTask(world.agent, taskId);
  await releaseTask(world.agent, taskId, 'needs_action');
  const store = createFileTaskStore(folder);
  const ledger = { append: offline, read: offline };
  const tasks = { ...world.tasks, get: offline, claim: offline };
  return { agent: world.restart({ ledger, tasks, localTasks: store }), store, taskId };
}

function standsIn(agent: Agent, taskId: string, where: string): boolean {
  const name = agent.session.state.tasks.get(taskId)?.note?.name ?? '';
  return existsSync(path.join(agent.config.vault, where, name));
}

describe('F23 an offline claim', () => {
  it('of a task at home in the cloud is refused, with what to do', async () => {
    const { agent, store } = await cutOff('laptop');
    const taskId = await waitingTask(world, 'another');
    await world.agent.session.pull();
    const online = world.restart({ localTasks: store });
    await syncVault(online);
    await expect(claimOffline(online, taskId)).rejects.toThrow(
      /at home in the cloud.*Nothing was changed; try again when this machine is online/,
    );
    expect(claimPlans(agent)).toEqual({});
    expect(standsIn(online, taskId, 'Needs_Action')).toBe(true);
  });

  it('is refused where another machine could do the same', async () => {
    const { agent, taskId } = await cutOff('laptop', 'desktop');
    await expect(claimOffline(agent, taskId)).rejects.toThrow('desktop may be working on it');
    await expect(claimOffline(agent, taskId)).rejects.toMatchObject({ code: 'OFFLINE_CLAIM' });
  });

  it('of a task at home here stands on this machine at once, and in the ledger with the next sync', async () => {
    const { agent, store, taskId } = await cutOff('laptop');
    await claimOffline(agent, taskId);
    await claimOffline(agent, taskId);
    expect(await store.get(taskId)).toMatchObject({ owner: 'laptop', state: 'drafting', epoch: 2 });
    expect(standsIn(agent, taskId, 'In_Progress/laptop')).toBe(true);

    const back = world.restart({ localTasks: store });
    const report = await syncVault(back);
    expect(report.explained).toEqual([expect.stringContaining('what you claimed offline is yours')]);
    expect(await world.tasks.get(taskId)).toMatchObject({ owner: 'laptop', state: 'drafting', epoch: 2 });
    expect(back.session.state.tasks.get(taskId)).toMatchObject({ state: 'drafting', owner: 'laptop' });
    expect(standsIn(back, taskId, 'In_Progress/laptop')).toBe(true);
    expect((await store.get(taskId))?.owner).toBeUndefined();
    expect((await syncVault(back)).explained).toEqual([]);
    expect((await verifyVault(back)).problems).toEqual([]);
  });

  it('is not made where the connection was lost amid a claim: how that ended is told by the next sync', async () => {
    const { store, taskId } = await cutOff('laptop');
    const { tasks } = world;
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const agent = world.restart({
      localTasks: store,
      tasks: {
        ...tasks,
        claim: async (request) => {
          await tasks.claim(request);
          throw reset;
        },
      },
    });
    await expect(claimAnywhere(agent, taskId)).rejects.toThrow(/connection was lost.*"employee sync"/);
    await expect(claimAnywhere(agent, taskId)).rejects.toMatchObject({ code: 'OFFLINE_CLAIM' });
    expect(await store.get(taskId)).toBeUndefined();
    const back = world.restart({ localTasks: store });
    expect((await syncVault(back)).explained).toEqual([
      expect.stringContaining('the claim that was begun here is yours'),
    ]);
    expect(back.session.state.tasks.get(taskId)).toMatchObject({ state: 'drafting', owner: 'laptop' });
    expect((await verifyVault(back)).problems).toEqual([]);
  });

  it('that does not hold is undone and explained', async () => {
    const { agent, store, taskId } = await cutOff('laptop');
    await claimOffline(agent, taskId);
    // The owner decided otherwise meanwhile, on a machine that has joined since.
    await world.forge('local', { kind: 'task', changes: [{ taskId, epoch: 1, event: 'rejected' }] });
    await world.tasks.settle(taskId, 'rejected', 'local');
    const back = world.restart({ localTasks: store });
    const report = await syncVault(back);
    expect(report.explained[0]).toContain('your claim did not hold: it is rejected');
    expect(
      standsIn(
        back,
        taskId,
        path.dirname(notePath({ state: 'rejected', note: back.session.state.tasks.get(taskId)?.note }) ?? ''),
      ),
    ).toBe(true);
    expect((await store.get(taskId))?.owner).toBeUndefined();
    expect((await syncVault(back)).explained).toEqual([]);
    expect((await verifyVault(back)).problems).toEqual([]);
  });

  it('survives a death at any of its steps', async () => {
    for (let dies = 1; dies <= 4; dies++) {
      const { agent, store, taskId } = await cutOff('laptop');
      let steps = 0;
      const dying = new Proxy(store, {
        get: (target, name, receiver) => {
          const member: unknown = Reflect.get(target, name, receiver);
          if (typeof member !== 'function') return member;
          return async (...args: unknown[]): Promise<unknown> => {
            if (++steps >= dies) throw new Error('died');
            return (await Reflect.apply(member, target, args)) as unknown;
          };
        },
      });
      const attempt = claimOffline({ ...agent, localTasks: dying }, taskId);
      await (dies <= 3 ? expect(attempt).rejects.toThrow('died') : attempt);
      const back = world.restart({ localTasks: store });
      await syncVault(back);
      await syncVault(back);
      const task = back.session.state.tasks.get(taskId);
      expect([task?.state, task?.owner]).toEqual(
        dies <= 2 ? ['needs_action', undefined] : ['drafting', 'laptop'],
      );
      expect((await verifyVault(back)).problems).toEqual([]);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
