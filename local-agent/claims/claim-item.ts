import { EPOCH_WINDOW } from '#protocol/claim.ts';
import type { ClaimRequest, MendRequest } from '#protocol/claim.ts';
import type { Task } from '#protocol/task.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';

/** The longest of the leases that this program gives. */
const MENDED_LEASE_MS = 5 * 60_000;
const CARRIED_OUT: ReadonlySet<string> = new Set(['done', 'failed', 'indeterminate']);

/**
 * Claims a task's item for this machine, such that readers of the ledger will accept the epoch. An item that
 * does not say what the ledger says, and that nobody rightfully holds, is brought in line first.
 *
 * @param request.above an epoch that was given out although the ledger does not know of it. @default 0
 * @returns the item, or `undefined` when somebody else holds it or it is not in that state.
 */
export async function claimItem(
  agent: Agent,
  taskId: string,
  {
    above = 0,
    ...request
  }: Pick<ClaimRequest, 'attemptId' | 'from' | 'to' | 'leaseMs'> & { readonly above?: number },
): Promise<Task | undefined> {
  const full = { ...request, taskId, owner: agent.config.agent, zone: 'local' } as const;
  let answer = await agent.tasks.claim(full);
  if (!answer.won || isFarAhead(agent, answer.task)) {
    if (!(await bringInLine(agent, taskId))) return undefined;
    answer = await agent.tasks.claim(full);
  }
  if (!answer.won) return undefined;
  const { epoch } = answer.task;
  const known = Math.max(agent.session.state.tasks.get(taskId)?.epoch ?? 0, above);
  if (epoch > known) return isFarAhead(agent, answer.task) ? undefined : answer.task;
  // The table came back from a backup, or the cloud raised the ledger's epoch and not the item's.
  const { owner, attemptId, zone } = full;
  const lifted = await agent.tasks.transfer({
    ...{ taskId, owner, epoch, newOwner: owner, attemptId, zone },
    above: known,
  });
  return lifted.won ? lifted.task : undefined;
}

/**
 * Brings the item of a task in line with the ledger, if nobody rightfully holds it.
 *
 * @returns whether it was changed.
 */
export async function bringInLine(agent: Agent, taskId: string): Promise<boolean> {
  // In this order: what the ledger says is then at least as new as the item, and what came after the item was
  // read makes the mending fail. The other way round, a transfer to this machine could look like a try that died.
  const item = await agent.tasks.get(taskId);
  await agent.session.pull();
  const task = agent.session.state.tasks.get(taskId);
  if (!task || !isAstray(task, item, agent.config.agent) || isUsedUp(task, item)) return false;
  return (await agent.tasks.mend(mendOf(task, item))).won;
}

/**
 * What makes an item say what the ledger says. Its epoch never falls below one that somebody may hold; one
 * that is further ahead of the ledger than any reader accepts was never anybody's.
 */
export function mendOf(task: TaskView, item: Task | undefined): MendRequest {
  const { taskId, state, home, owner } = task;
  const isUsable = item !== undefined && item.epoch <= task.epoch + EPOCH_WINDOW;
  return {
    ...{ taskId, seenVersion: item?.version, state, home },
    epoch: isUsable ? Math.max(task.epoch, item.epoch) : task.epoch,
    // With a lease, so that others can take over from a holder that is gone.
    ...(owner === undefined ? {} : { holder: { owner, leaseMs: MENDED_LEASE_MS } }),
  };
}

/** Whether an item says something that the ledger does not, and no work that is under way explains it. */
export function isAstray(task: TaskView, item: Task | undefined, self: string): boolean {
  if (!item || item.epoch > task.epoch + EPOCH_WINDOW) return true;
  // Whoever works on it has to be fenced in the ledger before the item may change.
  if (task.owner !== undefined) return false;
  if (item.owner === undefined) {
    // A mail that triage has written into the ledger; it saves itself a further write.
    if (item.state === 'received' && task.state === 'needs_action') return item.epoch < task.epoch;
    return item.state !== task.state || item.home !== task.home;
  }
  // This machine's own, of a try that died: it works on one thing at a time, and not on this one.
  if (item.owner === self) return true;
  // The ledger has the end of that claim already, or the cloud claimed what is not at home there.
  return item.epoch <= task.epoch || (item.owner === 'cloud' && task.home === 'local');
}

/**
 * Whether the item says that this very approval was carried out, and the ledger does not know of it: the ledger was put
 * back to an earlier state, and this machine's copy, too. Nobody else puts an item down in such a state.
 */
export function isUsedUp({ state, approval }: TaskView, item: Task | undefined): boolean {
  if (state !== 'approved' || !item || item.owner !== undefined) return false;
  return CARRIED_OUT.has(item.state) && item.attemptId === approval?.approval.statement.nonce;
}

function isFarAhead(agent: Agent, { taskId, epoch }: Task): boolean {
  return epoch > (agent.session.state.tasks.get(taskId)?.epoch ?? 0) + EPOCH_WINDOW;
}
