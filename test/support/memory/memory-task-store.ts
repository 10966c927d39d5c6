import {
  decideClaim,
  decideRelease,
  decideRenew,
  decideTakeover,
  decideTransfer,
  type ClaimAnswer,
} from '#protocol/claim.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { statesBefore, transition, type Task, type TaskEvent } from '#protocol/task.ts';

/** A task store in memory: the pure rules of `protocol/claim.ts` applied to a map. */
export interface MemoryTaskStore extends TaskStore {
  /** The items, for a test to look at or to put in place. */
  readonly items: Map<string, Task>;
}

/** The rule of `settle`: the item is there, nobody holds it, and its state allows the event. */
export function decideSettle(task: Task | undefined, event: TaskEvent, home: Task['home']): ClaimAnswer {
  if (!task || task.owner !== undefined || !statesBefore(event).includes(task.state)) return { won: false };
  const { suspectHeartbeat: _heartbeat, suspectAt: _at, ...rest } = task;
  return { won: true, task: { ...rest, state: transition(task, event), home, version: task.version + 1 } };
}

/** Makes an empty task store. Every call answers in a later microtask, as a real one would. */
export function createMemoryTaskStore(): MemoryTaskStore {
  const items = new Map<string, Task>();

  async function decide(taskId: string, rule: (task: Task | undefined) => ClaimAnswer): Promise<ClaimAnswer> {
    await Promise.resolve();
    const answer = rule(items.get(taskId));
    if (answer.won) items.set(taskId, structuredClone(answer.task));
    return answer;
  }

  return {
    items,
    get: async (taskId) => structuredClone(items.get(taskId)),
    begin: async (taskId) => {
      const answer = await decide(taskId, (task) =>
        task && task.state !== 'received' ? { won: false } : { won: true, task: received(taskId, task) },
      );
      return answer.won;
    },
    settle: (taskId, event, home) => decide(taskId, (task) => decideSettle(task, event, home)),
    claim: (request) => decide(request.taskId, (task) => decideClaim(task, request)),
    renew: (proof) => decide(proof.taskId, (task) => decideRenew(task, proof)),
    release: (request) => decide(request.taskId, (task) => decideRelease(task, request)),
    transfer: (request) => decide(request.taskId, (task) => decideTransfer(task, request)),
    takeover: (request) => decide(request.taskId, (task) => decideTakeover(task, request)),
  };
}

function received(taskId: string, before: Task | undefined): Task {
  return {
    ...before,
    taskId,
    state: 'received',
    home: 'cloud',
    epoch: 0,
    heartbeat: 0,
    leaseMs: 0,
    version: (before?.version ?? 0) + 1,
    effects: 0,
  };
}
