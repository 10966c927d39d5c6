import { TaskItemError } from '#protocol/errors.ts';
import { shortId } from '#protocol/ids.ts';
import type { Task, TaskState } from '#protocol/task.ts';
import { notePath, zoneOf } from '#protocol/vault-state.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { inFlight } from '../in-flight.ts';
import { problem } from './problem.ts';
import type { Problem } from './problem.ts';

/** Calls of the task store at a time. */
const IN_FLIGHT = 16;
/** Nothing is done any more with the items of these. */
const ENDED: ReadonlySet<TaskState> = new Set(['done', 'ignored', 'rejected', 'received']);

/** A task's item that does not say what the ledger says. */
export interface BadTask {
  readonly task: TaskView;
  readonly item: Task | undefined;
  readonly problem: Problem;
}

/** Compares the items of all open tasks with the ledger; one read a task. */
export async function verifyTasks(agent: Agent, state: VaultState): Promise<BadTask[]> {
  const bad: BadTask[] = [];
  const open = [...state.tasks.values()].filter((task) => !ENDED.has(task.state));
  await inFlight(open, IN_FLIGHT, async (task) => {
    const { taskId } = task;
    try {
      const item = await agent.tasks.get(taskId);
      const found = disagreement(state, task, item, agent.config.agent);
      if (found) bad.push({ task, item, problem: found });
    } catch (error) {
      if (!(error instanceof TaskItemError)) throw error;
      bad.push({ task, item: undefined, problem: problem('task-unreadable', error.message, { taskId }) });
    }
  });
  return bad.sort((a, b) => a.task.createdN - b.task.createdN);
}

/** What is wrong with an item, seen beside its task in the ledger, if anything is. */
export function disagreement(
  state: VaultState,
  task: TaskView,
  item: Task | undefined,
  self: string,
): Problem | undefined {
  const { taskId } = task;
  const path = notePath(task);
  const details = { taskId, ...(path === undefined ? {} : { path }) };
  const name = `task ${shortId(taskId)}`;
  if (!item) {
    const message = `${name} is ${task.state} in the ledger, and the task store has no item of it`;
    return problem('task-missing', message, details);
  }
  if (item.epoch < task.epoch) {
    const message = `${name} is behind in the task store: epoch ${item.epoch}, the ledger says ${task.epoch}`;
    return problem('task-behind', message, details);
  }
  if (item.owner !== undefined && zoneOf(state, item.owner) === undefined) {
    const message = `${name} is held by ${item.owner} in the task store, who has no key in this ledger`;
    return problem('task-owner', message, details);
  }
  if (item.owner === self && task.state !== 'executing' && task.owner !== self) {
    const message = `${name} is held by this machine in the task store, and nothing is being done`;
    return problem('task-held', message, details);
  }
  if (item.owner === undefined && task.owner !== undefined) {
    const message = `${name} is held by ${task.owner} in the ledger and by nobody in the task store`;
    return problem('task-state', message, details);
  }
  // Someone may be at work this very moment, between the item and the entry.
  if (item.owner !== undefined || item.state === task.state || item.state === 'received') return undefined;
  const message = `${name} is ${item.state} in the task store and ${task.state} in the ledger`;
  return problem('task-state', message, details);
}
