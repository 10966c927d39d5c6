import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { claimTask } from '#local-agent/claims/claim-task.ts';
import { createClaimObserver } from '#local-agent/claims/observe-claims.ts';
import type { ClaimObserver } from '#local-agent/claims/observe-claims.ts';
import { ownerReport } from '#local-agent/claims/owner-report.ts';
import { takeOver } from '#local-agent/claims/take-over.ts';
import { waitForSilence } from '#local-agent/claims/wait-for-silence.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import type { Clock } from '#protocol/ports.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { claimedByCloud, waitingTask } from '#test/support/waiting-task.ts';

const MINUTE = 60_000;

let world: LocalWorld;
beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
});
afterEach(() => {
  world.dispose();
});

/** A machine with a clock of its own: what the wall says is as far off as given, and it may sleep. */
function machine(
  name: string,
  offMs = 0,
): { agent: Agent; observer: ClaimObserver; pass(): Promise<string[]>; clock: TestClock } {
  const clock = createTestClock(offMs);
  const agent = world.machine(name).restart({ clock });
  const observer = createClaimObserver();
  const pass = async (): Promise<string[]> => {
    await syncVault(agent);
    return observer.pass(agent);
  };
  return { agent, observer, pass, clock };
}

interface TestClock extends Clock {
  advance(ms: number): void;
  /** The wall clock goes on, the monotonic one stands, as on Linux. */
  sleepFor(ms: number): void;
}

function createTestClock(offMs: number): TestClock {
  let [wallMs, monotonicMs] = [Date.parse('2026-11-21T08:00:00.000Z') + offMs, 1000];
  return {
    now: () => new Date(wallMs).toISOString(),
    monotonicMs: () => monotonicMs,
    advance(ms) {
      wallMs += ms;
      monotonicMs += ms;
    },
    sleepFor(ms) {
      wallMs += ms;
    },
  };
}

/** Passes a minute apart, as long as nothing is told. */
async function passes(
  each: ReturnType<typeof machine>,
  minutes: number,
  meanwhile?: () => unknown,
): Promise<string[]> {
  for (let minute = 0; minute < minutes; minute++) {
    const told = await each.pass();
    if (told.length > 0) return told;
    each.clock.advance(MINUTE);
    await meanwhile?.();
  }
  return [];
}

describe('F20 a cloud function that died while it drafted', () => {
  it('is taken over once, and the task waits again where the cloud may take it', async () => {
    const taskId = await waitingTask(world);
    const epoch = await claimedByCloud(world, taskId);
    const laptop = machine('laptop');
    const told = await passes(laptop, 20);
    expect(told).toEqual([expect.stringContaining('cloud held it and gave no sign of life')]);
    expect(await world.tasks.get(taskId)).toMatchObject({
      state: 'needs_action',
      home: 'cloud',
      epoch: epoch + 1,
    });
    expect((await world.tasks.get(taskId))?.owner).toBeUndefined();
    expect(laptop.agent.session.state.tasks.get(taskId)).toMatchObject({
      state: 'needs_action',
      epoch: epoch + 1,
      reason: 'cloud held it and gave no sign of life',
    });
    expect(await passes(laptop, 20)).toEqual([]);
    expect(await claimedByCloud(world, taskId)).toBe(epoch + 2);
    expect((await verifyVault(laptop.agent)).problems).toEqual([]);
  });

  it('is left alone as long as its heart beats, however long that is', async () => {
    const taskId = await waitingTask(world);
    const epoch = await claimedByCloud(world, taskId);
    const laptop = machine('laptop');
    const beat = (): unknown => world.tasks.renew({ taskId, owner: 'cloud', epoch });
    expect(await passes(laptop, 60, beat)).toEqual([]);
    expect(await world.tasks.get(taskId)).toMatchObject({ owner: 'cloud', epoch });
  });

  it('is taken over by one of two machines that watch it', async () => {
    const taskId = await waitingTask(world);
    await claimedByCloud(world, taskId);
    const both = [machine('laptop'), machine('desktop')];
    const told: string[] = [];
    for (let minute = 0; minute < 10; minute++) {
      const answers = await Promise.all(both.map((each) => each.pass()));
      told.push(...answers.flat());
      for (const { clock } of both) clock.advance(MINUTE);
    }
    expect(told).toHaveLength(1);
    expect(await world.tasks.get(taskId)).toMatchObject({ epoch: 2, state: 'needs_action' });
    for (const { agent } of both) expect(agent.session.state.refusals).toEqual([]);
  });

  it.each([-24 * 60, -60, 60, 24 * 60])(
    'is watched by no clock but one’s own: the wall %i minutes off',
    async (minutes) => {
      const taskId = await waitingTask(world);
      await claimedByCloud(world, taskId);
      const laptop = machine('laptop', minutes * MINUTE);
      // A wall clock that is set, or one that runs on while the machine sleeps, proves nothing.
      for (let round = 0; round < 5; round++) {
        expect(await laptop.pass()).toEqual([]);
        laptop.clock.sleepFor(minutes * MINUTE);
      }
      expect(await world.tasks.get(taskId)).toMatchObject({ owner: 'cloud', epoch: 1 });
      expect(await passes(laptop, 20)).toHaveLength(1);
    },
  );

  it('costs a pass in which nothing happens no call', async () => {
    await waitingTask(world);
    const laptop = machine('laptop');
    await passes(laptop, 200);
    let calls = 0;
    const counting = { ...world.tasks, get: (taskId: string) => (calls++, world.tasks.get(taskId)) };
    const agent = world.machine('laptop').restart({ clock: laptop.clock, tasks: counting });
    const observer = createClaimObserver();
    for (let minute = 0; minute < 24 * 60; minute++) {
      await observer.pass(agent);
      laptop.clock.advance(MINUTE);
    }
    // After some first looks, one an hour.
    expect(calls).toBeLessThan(32);
  });
});

describe('F20 a machine of the owner that fell silent', () => {
  it('amid an execution: the outcome is unknown, and nothing runs again by itself', async () => {
    const taskId = await approvedOnDesktop();
    const { tools } = world.machine('desktop');
    tools.answer = () => Promise.reject(new Error('the power went out'));
    await expect(executeApproved(world.machine('desktop').agent)).rejects.toThrow('power');
    const laptop = machine('laptop');
    const told = await passes(laptop, 20);
    expect(told).toEqual([expect.stringContaining('whether it happened is unknown')]);
    expect(laptop.agent.session.state.tasks.get(taskId)).toMatchObject({ state: 'indeterminate' });
    expect((await executeApproved(laptop.agent)).executed).toEqual([]);
    const desktop = machine('desktop').agent;
    await syncVault(desktop);
    expect((await executeApproved(desktop)).executed).toEqual([]);
    expect(world.machine('laptop').tools.calls).toHaveLength(0);
    expect(tools.calls).toHaveLength(1);
    expect(desktop.session.state.refusals).toEqual([]);
    expect((await verifyVault(desktop)).problems).toEqual([]);
  });

  it('F21 and answers late: nothing it says counts as the result, and the person is told', async () => {
    const taskId = await approvedOnDesktop();
    const { tools, agent: desktop } = world.machine('desktop');
    const laptop = machine('laptop');
    tools.answer = async () => {
      // Cut off from the store, while its call takes longer than its lease.
      expect(await passes(laptop, 20)).toHaveLength(1);
      return { status: 'succeeded', providerId: 'ses-late' };
    };
    const { executed } = await executeApproved(desktop);
    expect(executed).toMatchObject([{ taskId, outcome: 'indeterminate' }]);
    await syncVault(laptop.agent);
    const task = laptop.agent.session.state.tasks.get(taskId);
    expect(task).toMatchObject({ state: 'indeterminate' });
    expect(JSON.stringify(task)).toContain(
      'desktop answers late, after its claim was taken over: it was done (ses-late)',
    );
    expect(desktop.session.state.refusals).toEqual([]);
    expect(tools.calls).toHaveLength(1);
    expect(await ownerReport(desktop, taskId)).toMatchObject({ agree: true });
  });

  it('keeps a draft that its owner writes; a person may take it, after its lease', async () => {
    const taskId = await waitingTask(world);
    for (const name of ['laptop', 'desktop']) await syncVault(world.machine(name).agent);
    await claimTask(world.machine('desktop').agent, taskId);
    const laptop = machine('laptop');
    expect(await passes(laptop, 100)).toEqual([]);
    const hurried: Clock = { ...laptop.clock, monotonicMs: ticking(MINUTE) };
    const seen = await waitForSilence({ ...laptop.agent, clock: hurried }, taskId, 1);
    if (!seen) throw new Error('arranged badly');
    expect(await takeOver(laptop.agent, taskId, seen, 'work')).toContain('it is yours now');
    expect(await ownerReport(laptop.agent, taskId)).toMatchObject({
      agree: true,
      ledger: { owner: 'laptop', epoch: 2 },
    });
    await syncVault(world.machine('desktop').agent);
    expect((await verifyVault(laptop.agent)).problems).toEqual([]);
  });

  it('is not taken over by hand while its daemon renews', async () => {
    const taskId = await waitingTask(world);
    const desktop = machine('desktop');
    await desktop.pass();
    await claimTask(desktop.agent, taskId);
    const laptop = machine('laptop');
    await syncVault(laptop.agent);
    const beating = {
      ...laptop.agent,
      tasks: {
        ...world.tasks,
        get: async (id: string) => {
          desktop.clock.advance(MINUTE);
          await desktop.observer.pass(desktop.agent);
          return world.tasks.get(id);
        },
      },
    };
    await expect(waitForSilence(beating, taskId, 1)).rejects.toThrow('desktop gave a sign of life');
  });
});

describe('F20 a machine that sleeps', () => {
  it('does not call a tool under a claim that it lost meanwhile', async () => {
    const taskId = await approvedOnDesktop();
    const laptop = machine('laptop');
    const clock = createTestClock(0);
    // The lid closes right after the intent stands.
    const { ledger } = world;
    const desktop = world.machine('desktop').restart({
      clock,
      ledger: {
        ...ledger,
        append: async (entry) => {
          const answer = await ledger.append(entry);
          if (entry.kind !== 'intent') return answer;
          expect(await passes(laptop, 20)).toHaveLength(1);
          clock.sleepFor(60 * MINUTE);
          return answer;
        },
      },
    });
    await executeApproved(desktop);
    expect(world.machine('desktop').tools.calls).toHaveLength(0);
    await syncVault(laptop.agent);
    const task = laptop.agent.session.state.tasks.get(taskId);
    expect(task).toMatchObject({ state: 'indeterminate' });
    expect(JSON.stringify(task)).toContain('nothing was sent');
  });

  it('asks once more and goes on when the claim is still its own', async () => {
    await approvedOnDesktop();
    const clock = createTestClock(0);
    const { ledger } = world;
    const desktop = world.machine('desktop').restart({
      clock,
      ledger: {
        ...ledger,
        append: async (entry) => {
          if (entry.kind === 'intent') clock.sleepFor(60 * MINUTE);
          return ledger.append(entry);
        },
      },
    });
    expect((await executeApproved(desktop)).executed).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('does not execute when it was taken over before its intent', async () => {
    const taskId = await approvedOnDesktop();
    const laptop = world.machine('laptop').agent;
    const { tasks } = world;
    const desktop = world.machine('desktop').restart({
      tasks: {
        ...tasks,
        claim: async (request) => {
          const answer = await tasks.claim(request);
          const { epoch = 0, heartbeat = 0 } = (await tasks.get(taskId)) ?? {};
          await takeOver(laptop, taskId, { owner: 'desktop', epoch, heartbeat }, 'settle');
          return answer;
        },
      },
    });
    const { refused } = await executeApproved(desktop);
    expect(refused).toMatchObject([{ taskId }]);
    expect(world.machine('desktop').tools.calls).toHaveLength(0);
    expect(desktop.session.state.refusals).toEqual([]);
    // Nothing is lost: the approval stands, and its machine carries it out with its next claim.
    const again = world.machine('desktop').restart();
    expect((await executeApproved(again)).executed).toMatchObject([{ taskId, outcome: 'succeeded' }]);
  });
});

async function approvedOnDesktop(): Promise<string> {
  const taskId = await world.draft();
  const desktop = world.machine('desktop').agent;
  await syncVault(desktop);
  await approveTask(desktop, taskId, { method: 'command' });
  await syncVault(world.machine('laptop').agent);
  return taskId;
}

function ticking(ms: number): () => number {
  let now = 0;
  return () => (now += ms);
}
