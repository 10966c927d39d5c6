import { expect } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { claimPlans } from '#local-agent/claims/claim-plan.ts';
import { claimTask } from '#local-agent/claims/claim-task.ts';
import { ownerReport } from '#local-agent/claims/owner-report.ts';
import { releaseTask, transferTask } from '#local-agent/claims/release-task.ts';
import { takeOver } from '#local-agent/claims/take-over.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import { CrashError, crashingPorts } from './crash-ports.ts';
import { createLocalWorld } from './local-world.ts';
import type { LocalWorld } from './local-world.ts';
import { claimedByCloud, waitingTask } from './waiting-task.ts';

/** A change of a task's holder, and in which states a death in the middle of it may end. */
export interface ClaimScene {
  /** Brings a task to where the change begins. */
  readonly arrange: (world: LocalWorld) => Promise<string>;
  readonly change: (agent: Agent, taskId: string) => Promise<unknown>;
  /** `state owner epoch` before the change and after it. */
  readonly ends: readonly string[];
}

/** Every change of a holder that a machine of the owner makes. */
export const CLAIM_SCENES: Readonly<Record<string, ClaimScene>> = {
  claim: {
    arrange: waiting,
    change: claimTask, // Taken up again, the same attempt holds a new epoch, so that its own earlier self is fenced too.
    ends: ['needs_action - 0', 'drafting laptop 1', 'drafting laptop 2'],
  },
  'release to Needs_Action': {
    arrange: claimed,
    change: (agent, taskId) => releaseTask(agent, taskId, 'needs_action'),
    ends: ['drafting laptop 1', 'needs_action - 1'],
  },
  'release to Pending_Approval': {
    arrange: claimed,
    change: (agent, taskId) => releaseTask(agent, taskId, 'pending_approval'),
    ends: ['drafting laptop 1', 'pending_approval - 1'],
  },
  transfer: {
    arrange: claimed,
    change: (agent, taskId) => transferTask(agent, taskId, 'desktop'),
    ends: ['drafting laptop 1', 'drafting desktop 2'],
  },
  'takeover of a draft': {
    arrange: async (made) => {
      const taskId = await waiting(made);
      await claimedByCloud(made, taskId);
      return taskId;
    },
    change: (agent, taskId) => takeWhatStands(agent, taskId, 'settle'),
    // Until the entry stands, the ledger knows nothing of the claim.
    ends: ['needs_action - 0', 'needs_action - 2'],
  },
  'takeover to work on it': {
    arrange: async (made) => {
      const taskId = await waiting(made);
      const desktop = made.machine('desktop').agent;
      await syncVault(desktop);
      await claimTask(desktop, taskId);
      return taskId;
    },
    change: (agent, taskId) => takeWhatStands(agent, taskId, 'work'),
    ends: ['drafting desktop 1', 'drafting laptop 2'],
  },
  'takeover of an execution': {
    arrange: async (made) => {
      const taskId = await made.draft();
      const { agent: desktop, tools } = made.machine('desktop');
      await syncVault(desktop);
      await approveTask(desktop, taskId, { method: 'command' });
      tools.answer = () => Promise.reject(new Error('the power went out'));
      await expect(executeApproved(desktop)).rejects.toThrow('power');
      return taskId;
    },
    change: (agent, taskId) => takeWhatStands(agent, taskId, 'settle'),
    ends: ['executing desktop 2', 'indeterminate - 3'],
  },
};

async function waiting(made: LocalWorld): Promise<string> {
  const taskId = await waitingTask(made);
  await syncVault(made.machine('laptop').agent);
  return taskId;
}

async function claimed(made: LocalWorld): Promise<string> {
  const taskId = await waiting(made);
  await claimTask(made.machine('laptop').agent, taskId);
  return taskId;
}

/** The observation is the past: what it saw has stood still for a lease. */
async function takeWhatStands(agent: Agent, taskId: string, want: 'work' | 'settle'): Promise<void> {
  await agent.session.pull();
  const { owner = '', epoch = 0, heartbeat = 0 } = (await agent.tasks.get(taskId)) ?? {};
  if (owner !== agent.config.agent) await takeOver(agent, taskId, { owner, epoch, heartbeat }, want);
}

async function callsOf({ arrange, change }: ClaimScene): Promise<number> {
  const quiet = await createLocalWorld(['laptop', 'desktop']);
  try {
    const taskId = await arrange(quiet);
    const { ports, calls } = crashingPorts(quiet.agent, { at: 0, when: 'before' });
    await change(quiet.restart(ports), taskId);
    return calls();
  } finally {
    quiet.dispose();
  }
}

/**
 * Dies at every call of every port before it takes effect, or right after it did, and restarts twice.
 *
 * @param deaths which deaths at the n-th call to look at.
 */
export async function dieEverywhere(
  scene: ClaimScene,
  deaths: (at: number) => readonly ('before' | 'after')[],
): Promise<void> {
  const total = await callsOf(scene);
  expect(total).toBeGreaterThan(4);
  const ends = new Set<string>();
  for (let at = 1; at <= total; at++) {
    for (const when of deaths(at)) {
      const world = await createLocalWorld(['laptop', 'desktop']);
      try {
        ends.add(await dieOnce(world, scene, { at, when }));
      } finally {
        world.dispose();
      }
    }
  }
  // Otherwise nothing died in the middle.
  expect(ends.size).toBeGreaterThan(1);
}

async function dieOnce(
  world: LocalWorld,
  scene: ClaimScene,
  { at, when }: { readonly at: number; readonly when: 'before' | 'after' },
): Promise<string> {
  const where = `died ${when} call ${at}`;
  const taskId = await scene.arrange(world);
  const dying = world.restart(crashingPorts(world.agent, { at, when }).ports);
  await expect(scene.change(dying, taskId), where).rejects.toThrow(CrashError);

  await syncVault(world.restart());
  const last = world.restart();
  await syncVault(last);
  const desktop = world.machine('desktop').restart();
  await syncVault(desktop);

  const { state, owner = '-', epoch } = last.session.state.tasks.get(taskId) ?? {};
  expect(scene.ends, where).toContain(`${state} ${owner} ${epoch}`);
  expect(claimPlans(last), where).toEqual({});
  expect(last.session.state.refusals, where).toEqual([]);
  const report = await ownerReport(last, taskId);
  expect(report.problems, where).toEqual([]);
  // Nobody holds in the store what is nobody's in the ledger, but for a claim that was never taken over.
  if (report.item?.owner !== 'cloud') expect(report.item?.owner ?? '-', where).toBe(owner);
  expect((await verifyVault(last)).problems, where).toEqual([]);
  expect((await verifyVault(desktop)).problems, where).toEqual([]);
  const before = world.ledger.rows.length;
  await syncVault(world.restart());
  expect(world.ledger.rows.length, `${where}: a further sync writes nothing`).toBe(before);
  return `${state} ${owner} ${epoch}`;
}
