import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { noteSeen, silentSince } from './seen-claims.ts';
import { SilenceWatch, silenceMs } from './silence-watch.ts';
import { endForgotten, takeOver } from './take-over.ts';
import { PERSON_LEASE_MS } from './claim-task.ts';

/** A task that waits may have been claimed by a cloud function that died; its item is looked at this late. */
const FIRST_LOOK_MS = 150_000;
const LATEST_LOOK_MS = 3_600_000;
const MAX_LOOKS = 10;
const RENEW_MS = PERSON_LEASE_MS / 3;

interface NextLook {
  /** What the ledger said of the task: it begins anew with each change. */
  readonly updatedN: number;
  readonly dueMs: number;
  readonly waitMs: number;
}

/** Looks after claims for as long as a process runs: renews its own, takes over those of the dead. */
export interface ClaimObserver {
  /** One pass, after a sync. @returns what was taken over, in words. */
  pass(agent: Agent): Promise<string[]>;
}

/**
 * Makes an observer. It watches the claims of the cloud, and executions of other machines; a draft that
 * another machine's owner is at is taken over only when a person asks for it. Most passes cost no call: a
 * task is looked at twice, a lease apart, and then less and less often.
 */
export function createClaimObserver(): ClaimObserver {
  const watch = new SilenceWatch();
  const next = new Map<string, NextLook>();
  const renewedMs = new Map<string, number>();

  async function look(agent: Agent, task: TaskView, due: NextLook): Promise<string | undefined> {
    const { taskId } = task;
    const askedMs = agent.clock.monotonicMs();
    const item = await agent.tasks.get(taskId);
    const nowMs = agent.clock.monotonicMs();
    const isForeign = item?.owner !== undefined && item.owner !== agent.config.agent;
    // Nobody but a person takes what is at home here: it is looked at, ever less often, for what this machine may have forgotten.
    const later = task.home === 'local' ? Number.POSITIVE_INFINITY : LATEST_LOOK_MS;
    const waitMs = isForeign ? silenceMs(item) : Math.min(due.waitMs * 4, later);
    next.set(taskId, { updatedN: task.updatedN, dueMs: nowMs + waitMs, waitMs });
    if (!isForeign) {
      watch.forget(taskId);
      // Whatever this machine has begun is settled by its plan before anybody looks.
      return item?.owner !== undefined && isDraft(task) ? endForgotten(agent, item) : undefined;
    }
    const dead = watch.look(item, askedMs, nowMs);
    if (!dead && silentSince(agent, item) === undefined) noteSeen(agent, item);
    if (!dead || !isWatched(task, agent.config.agent) || (isDraft(task) && dead.owner !== 'cloud'))
      return undefined;
    return takeOver(agent, taskId, dead, 'settle');
  }

  async function renew(agent: Agent, { taskId, epoch }: TaskView): Promise<string | undefined> {
    const nowMs = agent.clock.monotonicMs();
    if (nowMs - (renewedMs.get(taskId) ?? Number.NEGATIVE_INFINITY) < RENEW_MS) return undefined;
    renewedMs.set(taskId, nowMs);
    const { won } = await agent.tasks.renew({ taskId, owner: agent.config.agent, epoch });
    return won ? undefined : `the claim of ${taskId} was not renewed: the task store names another holder`;
  }

  return {
    async pass(agent) {
      const told: (string | undefined)[] = [];
      let looks = 0;
      const self = agent.config.agent;
      const tasks = [...agent.session.state.tasks.values()];
      for (const task of tasks) {
        if (task.state === 'drafting' && task.owner === self)
          told.push(await inWords(() => renew(agent, task)));
        if (!isWatched(task, self)) {
          next.delete(task.taskId);
          watch.forget(task.taskId);
          continue;
        }
        const nowMs = agent.clock.monotonicMs();
        const known = next.get(task.taskId);
        const due =
          known?.updatedN === task.updatedN
            ? known
            : {
                updatedN: task.updatedN,
                dueMs: nowMs + (isHeld(task) ? 0 : FIRST_LOOK_MS),
                waitMs: FIRST_LOOK_MS,
              };
        next.set(task.taskId, due);
        if (due.dueMs > nowMs || looks >= MAX_LOOKS) continue;
        looks += 1;
        told.push(await inWords(() => look(agent, task, due)));
      }
      for (const taskId of next.keys()) if (!agent.session.state.tasks.has(taskId)) next.delete(taskId);
      return told.filter((words) => words !== undefined);
    },
  };
}

/** What is wrong with one task must keep nobody from the others. */
async function inWords(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EmployeeError && !(error instanceof LedgerIntegrityError)) return error.message;
    throw error;
  }
}

/** Claims that this machine may end by itself, or of which the ledger may not know yet. */
function isWatched({ state, owner, approval }: TaskView, self: string): boolean {
  if (state === 'needs_action') return true;
  // This machine's to carry out. Whoever holds it has no intent yet, and gets none once it is fenced.
  if (state === 'approved') return approval?.writer === self;
  return (state === 'drafting' && owner === 'cloud') || (state === 'executing' && owner !== self);
}

function isDraft({ state }: TaskView): boolean {
  return state === 'needs_action' || state === 'drafting';
}

function isHeld({ owner }: TaskView): boolean {
  return owner !== undefined;
}
