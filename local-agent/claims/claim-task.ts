import { shortId } from '#protocol/ids.ts';
import { raised } from '#protocol/replay-rules.ts';
import { statesBefore } from '#protocol/task.ts';
import type { Task } from '#protocol/task.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { accepted } from '../append-change.ts';
import { placeNote } from '../sync/place-note.ts';
import { ClaimRefusedError } from './claim-errors.ts';
import { bringInLine, claimItem } from './claim-item.ts';
import { setClaimPlan } from './claim-plan.ts';
import type { PlanOf } from './claim-plan.ts';

/** A person's machine renews a third of this apart, as long as its daemon runs. */
export const PERSON_LEASE_MS = 180_000;

/** How a change of the holder ended. */
export type ClaimOutcome = { readonly done: true } | { readonly done: false; readonly why: string };

/**
 * Takes a task out of `Needs_Action/` to work on it on this machine; its note moves to
 * `In_Progress/<agent>/`. To claim again what one holds changes nothing.
 *
 * @throws {ClaimRefusedError} when somebody else holds it, or it does not wait for anybody.
 */
export async function claimTask(agent: Agent, taskId: string): Promise<void> {
  await agent.session.pull();
  const task = taskOf(agent, taskId);
  const self = agent.config.agent;
  if (task.state === 'drafting' && task.owner === self) return;
  if (task.state === 'drafting' && (await acceptTransfer(agent, task))) return;
  if (!isClaimable(task)) throw new ClaimRefusedError(whyNot(task));
  const plan = { op: 'claim', attemptId: agent.ids.next(), offline: false } as const;
  setClaimPlan(agent, taskId, plan);
  const outcome = await finishClaim(agent, taskId, plan);
  if (!outcome.done) throw new ClaimRefusedError(`${shortId(taskId)} was not claimed: ${outcome.why}`);
}

/** Makes a planned claim, or the rest of one: first the item, which decides, then the entry and the note. */
export async function finishClaim(
  agent: Agent,
  taskId: string,
  { attemptId }: Pick<PlanOf<'claim'>, 'attemptId'>,
): Promise<ClaimOutcome> {
  const before = agent.session.state.tasks.get(taskId);
  const isMine = before?.state === 'drafting' && before.owner === agent.config.agent;
  const outcome = isMine ? ({ done: true } as const) : await claimAndTell(agent, taskId, attemptId);
  setClaimPlan(agent, taskId, undefined);
  return outcome;
}

async function claimAndTell(agent: Agent, taskId: string, attemptId: string): Promise<ClaimOutcome> {
  const from = notePath(taskOf(agent, taskId));
  const item = await claimItem(agent, taskId, {
    attemptId,
    from: statesBefore('draft_started'),
    to: 'drafting',
    leaseMs: PERSON_LEASE_MS,
  });
  if (!item) return { done: false, why: whoHas(taskOf(agent, taskId), await agent.tasks.get(taskId)) };
  if (!(await tellClaimed(agent, taskId, item.epoch))) {
    await bringInLine(agent, taskId);
    return { done: false, why: `it is ${wordsOf(taskOf(agent, taskId))} now` };
  }
  await placeNote(agent, taskOf(agent, taskId), from);
  return { done: true };
}

/** Appends that this machine holds the task. @returns whether readers accept it. */
export async function tellClaimed(agent: Agent, taskId: string, epoch: number): Promise<boolean> {
  const owner = agent.config.agent;
  const outcome = await agent.session.append(({ tasks }) => {
    const task = tasks.get(taskId);
    // What replay would refuse is not written.
    if (!task || !isClaimable(task) || raised(task, epoch)) return undefined;
    return { taskId, epoch, body: { kind: 'claim', event: 'claimed', owner } };
  });
  return outcome.appended && accepted(agent.session.state, outcome.entry.n);
}

/** Another machine handed the task over, and died before it could say so. */
async function acceptTransfer(agent: Agent, task: TaskView): Promise<boolean> {
  const { taskId } = task;
  const self = agent.config.agent;
  const item = await agent.tasks.get(taskId);
  if (item?.owner !== self || item.epoch <= task.epoch) return false;
  const from = notePath(task);
  await agent.session.append(({ tasks }) => {
    const now = tasks.get(taskId);
    if (now?.state !== 'drafting' || item.epoch <= now.epoch) return undefined;
    return { taskId, epoch: item.epoch, body: { kind: 'claim', event: 'transferred', owner: self } };
  });
  const after = taskOf(agent, taskId);
  if (after.owner !== self) return false;
  await placeNote(agent, after, from);
  return true;
}

function isClaimable(task: TaskView): boolean {
  return task.owner === undefined && statesBefore('draft_started').includes(task.state);
}

/** A task that was found before. */
export function taskOf(agent: Pick<Agent, 'session'>, taskId: string): TaskView {
  const task = agent.session.state.tasks.get(taskId);
  if (!task) throw new ClaimRefusedError(`${shortId(taskId)} is not in the ledger`);
  return task;
}

function whyNot(task: TaskView): string {
  const { taskId, owner } = task;
  const short = shortId(taskId);
  if (owner !== undefined) {
    return (
      `${short} is held by ${owner}: hand it over there ("employee transfer ${short} --to …"), ` +
      `or, if ${owner} is gone for good, run "employee claim ${short} --takeover"`
    );
  }
  return `${short} is ${wordsOf(task)}; only what waits in Needs_Action/ can be claimed`;
}

function whoHas(task: TaskView, item: Task | undefined): string {
  if (item?.owner === undefined) return `it is ${wordsOf(task)}`;
  return (
    `${item.owner} holds it at this moment; try again later, ` +
    `or run "employee claim ${shortId(task.taskId)} --takeover" if ${item.owner} is gone`
  );
}

function wordsOf({ state, owner }: TaskView): string {
  const words = state.replaceAll('_', ' ');
  return owner === undefined ? words : `${words} by ${owner}`;
}
