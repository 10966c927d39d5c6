import type { Task } from '#protocol/task.ts';
import { LEASE_MS, SILENT_TICKS } from './claim-rules.ts';
import type { ClaimRules } from './claim-rules.ts';
import { taskId } from './claim-world.ts';
import type { ClaimWorld, Request } from './claim-world.ts';

/** What no answer of the store may ever do. */
export function wrongWin(
  { item, stillTicks }: ClaimWorld,
  request: Request,
  task: Task,
  owner: string,
): string | undefined {
  if (task.epoch < item.epoch) return `the epoch fell from ${item.epoch} to ${task.epoch}`;
  if (task.version !== item.version + 1)
    return `a change was lost: version ${task.version} after ${item.version}`;
  if ('epoch' in request && (item.owner !== owner || item.epoch !== request.epoch)) {
    return `${owner} was let in with epoch ${request.epoch}, and ${item.owner ?? 'nobody'} held it with ${item.epoch}`;
  }
  const isTaking = task.owner !== undefined && request.op !== 'renew';
  if (isTaking && task.epoch === item.epoch)
    return `${task.owner} took the task with the old epoch ${task.epoch}`;
  if (request.op === 'claim' && item.owner !== undefined && item.owner !== owner) {
    return `${owner} claimed what ${item.owner} holds`;
  }
  if (request.op === 'takeover' && stillTicks < SILENT_TICKS) {
    return `${owner} took over from ${item.owner}, who gave a sign of life ${stillTicks} ticks ago`;
  }
  return undefined;
}

/** Two that believe to hold the same epoch. */
export function twoHolders({ agents }: ClaimWorld, name: (index: number) => string): string | undefined {
  const holders = new Map<number, number>();
  for (const [index, { holds }] of agents.entries()) {
    if (holds === undefined) continue;
    const other = holders.get(holds);
    if (other !== undefined) return `${name(other)} and ${name(index)} both hold epoch ${holds}`;
    holders.set(holds, index);
  }
  return undefined;
}

/** However many have died, somebody new can take the task, put it down and claim it again. */
export function notRescued(item: Task, rules: ClaimRules): string | undefined {
  const owner = 'rescuer';
  const proof = { taskId, owner };
  let task = item;
  if (item.owner !== undefined) {
    const times = { first: item, ageTicks: SILENT_TICKS, stillTicks: SILENT_TICKS };
    const seen = rules.silent(item, times);
    const taken = seen && rules.takeover(item, { ...proof, attemptId: 'r-1', zone: 'local', seen });
    if (!taken?.won) return `nobody can ever take over from ${item.owner}`;
    const { epoch, home } = taken.task;
    const put = rules.release(taken.task, { ...proof, epoch, to: 'needs_action', home });
    if (!put.won) return 'what was taken over cannot be put down';
    task = put.task;
  }
  const states = { from: ['needs_action'], to: 'drafting' } as const;
  const again = rules.claim(task, {
    ...proof,
    attemptId: 'r-2',
    zone: 'local',
    leaseMs: LEASE_MS,
    ...states,
  });
  return again.won ? undefined : 'nobody can ever claim the task again';
}
