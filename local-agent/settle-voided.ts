import type { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { bringInLine } from './claims/claim-item.ts';
import { oneByOne } from './one-by-one.ts';

/** The tasks of which this process knows that their items follow the ledger. */
const SETTLED = new WeakMap<LedgerSession, Set<string>>();

/** Lets the item of a task follow its approval, which was taken back in the ledger. */
export async function settleVoided(agent: Agent, { taskId }: Pick<TaskView, 'taskId'>): Promise<void> {
  settledBy(agent).delete(taskId);
  const { won } = await agent.tasks.settle(taskId, 'voided', 'local');
  if (won) settledBy(agent).add(taskId);
}

/**
 * The same for every task that waits with a voided approval: whoever took it back may have died before its item
 * followed, or had claimed it and forgotten that on a full disk. Is done once for each of them and process.
 */
export async function settleAllVoided(agent: Agent, failures: unknown[]): Promise<void> {
  const settled = settledBy(agent);
  for (const task of agent.session.state.tasks.values()) {
    const { taskId } = task;
    if (task.state !== 'pending_approval' || task.voided === undefined) settled.delete(taskId);
    else if (!settled.has(taskId)) {
      await oneByOne(failures, async () => {
        await settleVoided(agent, task);
        if (!settled.has(taskId)) await bringInLine(agent, taskId);
        settled.add(taskId);
      });
    }
  }
}

function settledBy({ session }: Agent): Set<string> {
  const known = SETTLED.get(session) ?? new Set<string>();
  SETTLED.set(session, known);
  return known;
}
