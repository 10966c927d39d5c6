import type { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { bringInLine, isUsedUp } from './claims/claim-item.ts';
import { oneByOne } from './one-by-one.ts';

/** An approval that waits for longer than any undo time should: whoever gave it may not have come to settle its item. */
const LATE_MS = 120_000;
const VOIDED = 'voided';

/** What each task came to of which this process knows that its item follows the ledger. */
const SETTLED = new WeakMap<LedgerSession, Map<string, string>>();

/** Lets the item of a task follow its approval, which was taken back in the ledger. */
export async function settleVoided(agent: Agent, { taskId }: Pick<TaskView, 'taskId'>): Promise<void> {
  settledBy(agent).delete(taskId);
  const { won } = await agent.tasks.settle(taskId, 'voided', 'local');
  if (won) settledBy(agent).set(taskId, VOIDED);
}

/**
 * The same for every task that waits with a voided approval, or for long with one that this machine gave, or that failed
 * here: whoever wrote that may have died, or been throttled, before its item followed, or had claimed it and forgotten
 * that, on a full disk or by a backup of its copy. Is done once for each of them and process.
 */
export async function settleAll(agent: Agent, failures: unknown[]): Promise<void> {
  const settled = settledBy(agent);
  for (const task of agent.session.state.tasks.values()) {
    const { taskId } = task;
    const cameTo = settledState(agent, task);
    if (cameTo === undefined) settled.delete(taskId);
    else if (settled.get(taskId) !== cameTo) {
      await oneByOne(failures, async () => {
        await settleItem(agent, task);
        settled.set(taskId, cameTo);
      });
    }
  }
}

/** A failed one has no event of its own left: only a claim may still be in its way. */
async function settleItem(agent: Agent, task: TaskView): Promise<void> {
  const { taskId, state } = task;
  // What was carried out already is not to be so again.
  if (state === 'approved' && isUsedUp(task, await agent.tasks.get(taskId))) return;
  const event = state === 'pending_approval' ? 'voided' : state === 'approved' ? 'approved' : undefined;
  if (event !== undefined && (await agent.tasks.settle(taskId, event, 'local')).won) return;
  await bringInLine(agent, taskId);
}

function settledState({ clock, config }: Agent, { state, voided, approval }: TaskView): string | undefined {
  if (state === 'pending_approval' && voided !== undefined) return VOIDED;
  if (approval?.writer !== config.agent) return undefined;
  if (state === 'failed' || state === 'indeterminate') return `${state} ${approval.n}`;
  if (state !== 'approved') return undefined;
  const ageMs = Date.parse(clock.now()) - Date.parse(approval.approval.statement.notBefore);
  // Of an approval in the future this machine's clock was set back since, and nobody knows how long it waits.
  return ageMs < 0 || ageMs > LATE_MS ? `approved ${approval.n}` : undefined;
}

function settledBy({ session }: Agent): Map<string, string> {
  const known = SETTLED.get(session) ?? new Map<string, string>();
  SETTLED.set(session, known);
  return known;
}
