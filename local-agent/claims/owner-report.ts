import type { Task } from '#protocol/task.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { isAstray } from './claim-item.ts';
import { claimPlans } from './claim-plan.ts';
import { taskOf } from './claim-task.ts';
import { silentSince } from './seen-claims.ts';

/** Who has a task, as the ledger and as the task store say it. */
export interface OwnerReport {
  readonly taskId: string;
  /** Nothing in the one contradicts the other. */
  readonly agree: boolean;
  readonly ledger: Pick<TaskView, 'state' | 'home' | 'epoch'> & { readonly owner: string | null };
  readonly item: (Omit<Task, 'taskId' | 'owner'> & { readonly owner: string | null }) | null;
  /** Since when this machine's daemon has seen the heartbeat stand still, by its own wall clock. */
  readonly silentSince: string | null;
  /** What this machine has begun with the task and not brought to its end, if anything. */
  readonly pending: string | null;
  /** What does not fit, and what to do. */
  readonly problems: readonly string[];
}

/** Compares the holder of a task in the ledger with the one in the task store. Changes nothing. */
export async function ownerReport(agent: Agent, taskId: string): Promise<OwnerReport> {
  // The item first: a claim that is made in between is seen in the ledger then, not missed in the store.
  const item = await agent.tasks.get(taskId);
  await agent.session.pull();
  const task = taskOf(agent, taskId);
  const problems = problemsOf(task, item, agent.config.agent);
  const { state, home, epoch, owner = null } = task;
  return {
    taskId,
    agree: problems.length === 0,
    ledger: { state, home, epoch, owner },
    item: item ? withoutId(item) : null,
    silentSince: (item && silentSince(agent, item)) ?? null,
    pending: claimPlans(agent)[taskId]?.op ?? null,
    problems,
  };
}

function problemsOf(task: TaskView, item: Task | undefined, self: string): string[] {
  const repair = '"employee repair" puts the store in line';
  if (!item) return [`the task store has no item of this task; ${repair}`];
  if (item.epoch < task.epoch) {
    return [`the task store is behind: epoch ${item.epoch}, the ledger says ${task.epoch}; ${repair}`];
  }
  if (item.owner !== task.owner && task.owner !== undefined) {
    const held = item.owner ?? 'nobody';
    const todo = task.owner === self ? '"employee sync" settles it' : repair;
    return [`the ledger says that ${task.owner} holds it, the task store says ${held}; ${todo}`];
  }
  if (isAstray(task, item, self)) {
    const held = item.owner === undefined ? '' : `, held by ${item.owner},`;
    return [`the task store says ${item.state}${held} and the ledger ${task.state}; ${repair}`];
  }
  return [];
}

function withoutId({ taskId: _taskId, owner, ...item }: Task): OwnerReport['item'] {
  return { ...item, owner: owner ?? null };
}
