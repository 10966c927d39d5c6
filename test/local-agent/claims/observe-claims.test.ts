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
import { TaskItemError } from '#protocol/errors.ts';
import type { Clock, LedgerStore } from '#protocol/ports.ts';
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

  it('is free again also when the machine that took it over forgets that, since its copy comes back from a backup', async () => {
    const taskId = await waitingTask(world);
    const seen = await claimedByCloud(world, taskId);
    const laptop = machine('laptop');
    await laptop.pass();
    const silent = {
      owner: 'cloud',
      epoch: seen,
      heartbeat: (await world.tasks.get(taskId))?.heartbeat ?? 0,
    };
    // It got no further than the item, and there is no plan of it.
    const taken = { taskId, owner: 'laptop', attemptId: 'forgotten', zone: 'local', seen: silent } as const;
    expect(await world.tasks.takeover(taken)).toMatchObject({ won: true });
    expect(await passes(laptop, 20)).toEqual([expect.stringContaining('has forgotten what for')]);
    expect(await world.tasks.get(taskId)).toMatchObject({
      state: 'needs_action',
      home: 'cloud',
      epoch: seen + 1,
    });
    expect((await world.tasks.get(taskId))?.owner).toBeUndefined();
    expect(await claimedByCloud(world, taskId)).toBe(seen + 2);
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

  it('F21 with an epoch that nobody honest has is put in line, and nothing refused is written', async () => {
    const taskId = await waitingTask(world);
    await claimedByCloud(world, taskId);
    const item = world.tasks.items.get(taskId);
    if (!item) throw new Error('arranged badly');
    world.tasks.items.set(taskId, { ...item, epoch: 1_000_000 });
    const laptop = machine('laptop');
    await passes(laptop, 20);
    expect(await world.tasks.get(taskId)).toMatchObject({ state: 'needs_action', epoch: 0 });
    expect((await world.tasks.get(taskId))?.owner).toBeUndefined();
    expect(laptop.agent.session.state.refusals).toEqual([]);
    expect((await verifyVault(laptop.agent)).problems).toEqual([]);
  });

  it('and whose item cannot be read keeps no other task from being looked after, or carried out', async () => {
    const taskId = await waitingTask(world, 'unreadable');
    const other = await waitingTask(world, 'other');
    await claimedByCloud(world, other);
    const laptop = machine('laptop');
    const broken = {
      ...laptop.agent,
      tasks: {
        ...world.tasks,
        get: (id: string) =>
          id === taskId ? Promise.reject(new TaskItemError('not readable')) : world.tasks.get(id),
      },
    };
    const told: string[] = [];
    for (let minute = 0; minute < 10; minute++) {
      await syncVault(broken);
      told.push(...(await laptop.observer.pass(broken)));
      laptop.clock.advance(MINUTE);
    }
    expect(told.join()).toContain('cloud held it and gave no sign of life');
    expect(told.join()).toContain('not readable');
    const { problems } = await verifyVault(broken);
    expect(problems).toMatchObject([{ code: 'task-unreadable', taskId }]);
  });

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

  it('F21 and comes back while it is being taken over: what it knows is told in the end, whoever dies', async () => {
    const taskId = await approvedOnDesktop();
    const { agent, tools } = world.machine('desktop');
    // The desktop knows the answer, and dies before it can say so; the laptop dies amid its takeover.
    const dies = (kind: string): LedgerStore => ({
      read: (vaultId, after) => world.ledger.read(vaultId, after),
      append: (entry) =>
        entry.kind === kind ? Promise.reject(new Error('died')) : world.ledger.append(entry),
    });
    await expect(
      executeApproved(world.machine('desktop').restart({ ledger: dies('result') })),
    ).rejects.toThrow('died');
    const laptop = world.machine('laptop').restart({ ledger: dies('result') });
    const { epoch = 0, heartbeat = 0 } = (await world.tasks.get(taskId)) ?? {};
    await laptop.session.pull();
    await expect(takeOver(laptop, taskId, { owner: 'desktop', epoch, heartbeat }, 'settle')).rejects.toThrow(
      'died',
    );
    const desktop = world.machine('desktop').restart();
    expect((await executeApproved(desktop)).executed).toEqual([]);
    const back = world.machine('laptop').restart();
    await syncVault(back);
    expect(back.session.state.tasks.get(taskId)).toMatchObject({ state: 'indeterminate' });
    for (let times = 0; times < 2; times++) await executeApproved(world.machine('desktop').restart());
    await syncVault(back);
    await syncVault(agent);
    const task = back.session.state.tasks.get(taskId);
    expect(JSON.stringify(task)).toContain(
      'answers late, after its claim was taken over: it was done (ses-1)',
    );
    expect(back.session.state.refusals).toEqual([]);
    expect(tools.calls).toHaveLength(1);
    expect((await verifyVault(back)).problems).toEqual([]);
    expect(await ownerReport(back, taskId)).toMatchObject({ agree: true });
  });

  it('between its claim and its intent blocks nobody: the machine that approves after it goes on', async () => {
    const taskId = await world.draft();
    for (const name of ['laptop', 'desktop']) await syncVault(world.machine(name).agent);
    await approveTask(world.machine('laptop').agent, taskId, { method: 'command' });
    // As a disk that is gone for good leaves it, or as anybody who can write the table may put it there.
    const item = world.tasks.items.get(taskId);
    if (!item) throw new Error('arranged badly');
    const left = { ...item, state: 'executing', owner: 'desktop', attemptId: 'a-dead-one' } as const;
    world.tasks.items.set(taskId, { ...left, epoch: item.epoch + 1, leaseMs: 300_000 });
    const laptop = machine('laptop');
    expect((await executeApproved(laptop.agent)).refused).toMatchObject([
      { taskId, why: expect.stringMatching(/desktop holds this task.*--takeover/) as string },
    ]);
    const told = await passes(laptop, 20);
    expect(told).toEqual([expect.stringContaining('desktop held it and gave no sign of life')]);
    expect((await executeApproved(laptop.agent)).executed).toMatchObject([{ taskId, outcome: 'succeeded' }]);
    expect(world.machine('laptop').tools.calls).toHaveLength(1);
    expect((await verifyVault(laptop.agent)).problems).toEqual([]);
  });

  it('is fenced in the ledger before its approved task runs elsewhere: its late intent is refused', async () => {
    const taskId = await world.draft();
    for (const name of ['laptop', 'desktop']) await syncVault(world.machine(name).agent);
    const desktop = world.machine('desktop').agent;
    await approveTask(desktop, taskId, { method: 'command' });
    const laptop = world.machine('laptop').agent;
    const approval = world.tasks.items.get(taskId);
    if (!approval) throw new Error('arranged badly');
    const claimed = await world.tasks.claim({
      ...{ taskId, owner: 'desktop', attemptId: 'nonce', zone: 'local', from: ['approved'], to: 'executing' },
      leaseMs: 1,
    });
    if (!claimed.won) throw new Error('arranged badly');
    const { epoch, heartbeat } = claimed.task;
    await takeOver(laptop, taskId, { owner: 'desktop', epoch, heartbeat }, 'settle');
    const statement = desktop.session.state.tasks.get(taskId)?.approval?.approval.statement;
    await world.forge(
      'local',
      {
        kind: 'intent',
        owner: 'laptop',
        nonce: statement?.nonce ?? '',
        actionsDigest: statement?.actionsDigest ?? '',
        actionIndex: 0,
        tool: 'email/send',
        idempotencyKey: `${taskId}-${epoch}`,
      },
      { taskId, epoch },
    );
    expect(laptop.session.state.refusals).toMatchObject([{ code: 'stale-epoch' }]);
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

  it('F42 and wakes when the approval has expired calls nothing, though the claim is still its own', async () => {
    const taskId = await approvedOnDesktop();
    const clock = createTestClock(0);
    const { ledger } = world;
    const desktop = world.machine('desktop').restart({
      clock,
      ledger: {
        ...ledger,
        append: async (entry) => {
          const answer = await ledger.append(entry);
          if (entry.kind === 'intent') clock.sleepFor(80 * 60 * MINUTE);
          return answer;
        },
      },
    });
    const { executed } = await executeApproved(desktop);
    expect(world.machine('desktop').tools.calls).toHaveLength(0);
    expect(executed).toMatchObject([
      { taskId, outcome: 'failed', detail: expect.stringContaining('nothing was sent') as string },
    ]);
    expect((await verifyVault(desktop)).problems).toEqual([]);
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
