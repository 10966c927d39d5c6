import type { SeenClaim } from '#protocol/claim.ts';
import { shortId } from '#protocol/ids.ts';
import { raised } from '#protocol/replay-rules.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { Task } from '#protocol/task.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { finish } from '../finish.ts';
import { placeNote } from '../sync/place-note.ts';
import { bringInLine } from './claim-item.ts';
import { claimPlans, setClaimPlan } from './claim-plan.ts';
import type { PlanOf } from './claim-plan.ts';
import { taskOf, tellClaimed } from './claim-task.ts';

/**
 * Takes a task from a holder that was seen silent for a whole lease. If anything moved since, nothing is
 * done. What becomes of the work is told in the ledger: a draft waits again (or is this machine's to write,
 * if the person wants that); an execution is `indeterminate`, since only its own machine knows how far it
 * came, and is never run again by itself.
 *
 * @returns what happened, in words; `undefined` when the holder lives.
 */
export async function takeOver(
  agent: Agent,
  taskId: string,
  seen: SeenClaim,
  want: PlanOf<'takeover'>['want'],
): Promise<string | undefined> {
  const plan = {
    op: 'takeover',
    attemptId: agent.ids.next(),
    epoch: seen.epoch + 1,
    want,
    reason: `${seen.owner} held it and gave no sign of life`,
  } as const;
  setClaimPlan(agent, taskId, plan);
  const { attemptId } = plan;
  const owner = agent.config.agent;
  const answer = await agent.tasks.takeover({ taskId, owner, attemptId, zone: 'local', seen });
  if (!answer.won) {
    setClaimPlan(agent, taskId, undefined);
    return undefined;
  }
  return finishTakeover(agent, taskId, plan);
}

/**
 * Ends a claim of this machine's own of which it does not know any more what it was for: its copy came back from a
 * backup. It ends as that of somebody else who is gone.
 */
export async function endForgotten(
  agent: Agent,
  { taskId, attemptId, epoch }: Pick<Task, 'taskId' | 'attemptId' | 'epoch'>,
): Promise<string | undefined> {
  // A plan that is there still is carried out by the next sync.
  if (claimPlans(agent)[taskId] !== undefined) return undefined;
  if (attemptId === undefined) {
    await bringInLine(agent, taskId);
    return undefined;
  }
  const plan = {
    op: 'takeover',
    attemptId,
    epoch,
    want: 'settle',
    reason: 'this machine held it and has forgotten what for',
  } as const;
  setClaimPlan(agent, taskId, plan);
  return finishTakeover(agent, taskId, plan);
}

/** Carries a takeover, or the rest of one, to its end. Safe to repeat after a crash at any step. */
export async function finishTakeover(
  agent: Agent,
  taskId: string,
  plan: PlanOf<'takeover'>,
): Promise<string | undefined> {
  await agent.session.pull();
  const item = await agent.tasks.get(taskId);
  const owner = agent.config.agent;
  const isMine = item?.owner === owner && item.attemptId === plan.attemptId;
  const told = isMine || heldHere(agent, taskId) ? await settle(agent, taskId, plan) : undefined;
  setClaimPlan(agent, taskId, undefined);
  return told;
}

async function settle(agent: Agent, taskId: string, plan: PlanOf<'takeover'>): Promise<string> {
  const { epoch, reason, want } = plan;
  const short = shortId(taskId);
  const before = notePath(taskOf(agent, taskId));
  if (want === 'work' && (await tellClaimed(agent, taskId, epoch))) {
    await placeNote(agent, taskOf(agent, taskId), before);
    return `${short}: ${reason}; it is yours now`;
  }
  // In the ledger first: it fences whoever comes back and believes to hold the task still.
  await agent.session.append(({ tasks }) => {
    const task = tasks.get(taskId);
    if (!task || raised(task, epoch)) return undefined;
    const body = { kind: 'claim', event: 'taken_over', owner: agent.config.agent, reason } as const;
    return { taskId, epoch, body };
  });
  const task = taskOf(agent, taskId);
  if (task.state === 'executing' && task.owner === agent.config.agent) {
    await finish(agent, task, epoch);
    return `${short}: ${reason} while it was carried out; whether it happened is unknown, look before you try again`;
  }
  if (task.state === 'drafting' && task.owner === agent.config.agent && want === 'settle') {
    await abandon(agent, task, reason);
  }
  if (heldHere(agent, taskId)) {
    await placeNote(agent, taskOf(agent, taskId), before);
    return `${short}: ${reason}; it is yours now`;
  }
  await bringInLine(agent, taskId);
  await placeNote(agent, taskOf(agent, taskId), before);
  return `${short}: ${reason}; it is ${taskOf(agent, taskId).state.replaceAll('_', ' ')} again`;
}

/** Back to where the cloud may take it again. */
async function abandon(agent: Agent, { taskId }: TaskView, reason: string): Promise<void> {
  await agent.session.append(({ tasks }) => {
    const task = tasks.get(taskId);
    if (task?.state !== 'drafting' || task.owner !== agent.config.agent) return undefined;
    const { epoch } = task;
    const change = { taskId, epoch, event: 'draft_abandoned', reason, home: 'cloud' } as const;
    return { taskId, epoch, body: { kind: 'task', changes: [change] } };
  });
}

function heldHere(agent: Agent, taskId: string): boolean {
  return taskOf(agent, taskId).owner === agent.config.agent;
}
