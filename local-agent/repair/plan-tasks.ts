import { shortId } from '#protocol/ids.ts';
import type { Agent } from '../agent.ts';
import { isUsedUp, mendOf } from '../claims/claim-item.ts';
import { syncVault } from '../sync/sync.ts';
import { disagreement } from '../verify/verify-tasks.ts';
import type { BadTask } from '../verify/verify-tasks.ts';
import type { Repair } from './repair.ts';

/**
 * Puts the items of tasks in line with the ledger: made anew, raised to its epoch, freed of a holder that
 * does nothing, given back to the one that the ledger names. The ledger is never changed to fit an item, and no approval, intent or result is written.
 * A draft that the cloud can no longer finish, because its item is gone, is put back to be drafted again.
 */
export function planTasks(bad: readonly BadTask[]): Repair[] {
  return bad.flatMap(({ task, item, problem }) => {
    const { taskId } = task;
    const repairs: Repair[] = [];
    // The machine that approved it asks the person about it.
    if (isUsedUp(task, item)) return repairs;
    // A person's draft is theirs still: its item is made with its holder.
    if (!item && task.state === 'drafting' && task.home === 'cloud') {
      repairs.push({
        code: 'draft',
        taskId,
        what: `put task ${shortId(taskId)} back to Needs_Action, to be drafted again`,
        why: 'its draft was begun, and the claim of it is lost',
        keeps: 'its note as it stands',
        act: async (agent) => {
          await abandonDraft(agent, taskId);
          await syncVault(agent);
        },
      });
    }
    repairs.push({
      code: 'task-item',
      taskId,
      what: `${item ? 'set' : 'make'} the item of task ${shortId(taskId)} as the ledger has it`,
      why: problem.message,
      keeps: 'the ledger as it is; the epoch never falls, so that whoever held it before is refused',
      act: (agent) => mend(agent, taskId),
    });
    return repairs;
  });
}

/** Takes the draft over, which fences whoever may still be at it, and puts it down. */
async function abandonDraft(agent: Agent, taskId: string): Promise<void> {
  const { session, config } = agent;
  const owner = config.agent;
  await session.append(({ tasks }) => {
    const task = tasks.get(taskId);
    if (task?.state !== 'drafting' || task.owner === owner) return undefined;
    return { taskId, epoch: task.epoch + 1, body: { kind: 'claim', event: 'taken_over', owner } };
  });
  await session.append(({ tasks }) => {
    const task = tasks.get(taskId);
    if (task?.state !== 'drafting' || task.owner !== owner) return undefined;
    const { epoch } = task;
    const reason = 'its claim was lost';
    const change = { taskId, epoch, event: 'draft_abandoned', reason, home: 'cloud' } as const;
    return { taskId, epoch, body: { kind: 'task', changes: [change] } };
  });
}

async function mend(agent: Agent, taskId: string): Promise<void> {
  await agent.session.pull();
  const { state } = agent.session;
  const item = await agent.tasks.get(taskId);
  const task = state.tasks.get(taskId);
  // Whoever took it since the plan was made works on it.
  if (!task || !disagreement(state, task, item, agent.config.agent)) return;
  if (isUsedUp(task, item)) return;
  // Lost to somebody who just changed it: the next look decides afresh.
  await agent.tasks.mend(mendOf(task, item));
  if (item?.owner === agent.config.agent) agent.copy.noteClaim(taskId, undefined);
}
