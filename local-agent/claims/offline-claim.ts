import { sha256Hex } from '#protocol/canonical.ts';
import { shortId } from '#protocol/ids.ts';
import { statesBefore } from '#protocol/task.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { OfflineClaimError } from './claim-errors.ts';
import { claimPlans, setClaimPlan } from './claim-plan.ts';
import { PERSON_LEASE_MS, taskOf } from './claim-task.ts';

/**
 * Claims a task while the shared store does not answer. That is possible only where nobody else could do
 * the same: the task is at home on the owner's machines, and this is the only one. The claim is decided on
 * this machine's own store and goes into the shared one, and the ledger, with the next sync.
 *
 * @throws {OfflineClaimError}
 */
export async function claimOffline(agent: Agent, taskId: string): Promise<void> {
  const task = taskOf(agent, taskId);
  const self = agent.config.agent;
  if (task.state === 'drafting' && task.owner === self) return;
  const store = agent.localTasks;
  const why = whyNotOffline(agent, task);
  if (why !== undefined || !store) throw refusal(taskId, why ?? 'this machine has no store of its own');
  const item = await store.get(taskId);
  const plan = claimPlans(agent)[taskId];
  if (item?.owner === self && plan?.op === 'claim') {
    await moveNote(agent, task);
    return;
  }
  const { epoch, state, home } = task;
  await store.mend({ taskId, seenVersion: item?.version, state, home, epoch });
  const attemptId = agent.ids.next();
  // Before the claim: what is claimed and forgotten would be held for ever.
  setClaimPlan(agent, taskId, { op: 'claim', attemptId, offline: true });
  const answer = await store.claim({
    ...{ taskId, owner: self, attemptId, zone: 'local', leaseMs: PERSON_LEASE_MS, offline: true },
    from: statesBefore('draft_started'),
    to: 'drafting',
  });
  if (!answer.won) {
    setClaimPlan(agent, taskId, undefined);
    throw refusal(taskId, 'another process of this machine was quicker');
  }
  await moveNote(agent, task);
}

/** The claim is settled with the shared store: the one of this machine has nothing to say any more. */
export async function forgetOffline(agent: Agent, taskId: string): Promise<void> {
  const item = await agent.localTasks?.get(taskId);
  const owner = agent.config.agent;
  if (item?.owner !== owner) return;
  const { epoch } = item;
  await agent.localTasks?.release({ taskId, owner, epoch, to: 'needs_action', home: 'local' });
}

function whyNotOffline(agent: Agent, task: TaskView): string | undefined {
  if (!statesBefore('draft_started').includes(task.state)) {
    return `it is ${task.state.replaceAll('_', ' ')}${task.owner === undefined ? '' : ` by ${task.owner}`}`;
  }
  if (task.home !== 'local') return 'it is at home in the cloud, which may be working on it at this moment';
  const others = (agent.session.state.keys?.writers ?? [])
    .filter(({ zone, writer }) => zone === 'local' && writer !== agent.config.agent)
    .map(({ writer }) => writer);
  if (others.length === 0) return undefined;
  return `${others.join(' or ')} may be working on it at this moment`;
}

/** To where it will stand once the ledger says so. Whatever stands there already stays. */
async function moveNote(agent: Agent, task: TaskView): Promise<void> {
  const from = notePath(task);
  const to = notePath({ ...task, state: 'drafting', owner: agent.config.agent });
  const bytes = from === undefined ? undefined : await agent.files.read(from);
  if (from === undefined || to === undefined || !bytes) return;
  await agent.files.move(from, to, sha256Hex(bytes));
}

function refusal(taskId: string, why: string): OfflineClaimError {
  return new OfflineClaimError(
    `${shortId(taskId)} was not claimed: the task store does not answer, and ${why}. ` +
      'Nothing was changed; try again when this machine is online',
  );
}
