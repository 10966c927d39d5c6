import {
  decideClaim,
  decideRelease,
  decideRenew,
  decideSettle,
  decideTakeover,
  decideTransfer,
  type ClaimAnswer,
} from '#protocol/claim.ts';
import type { TaskStore } from '#protocol/ports.ts';
import type { Task } from '#protocol/task.ts';

/** A task store in memory: the pure rules of `protocol/claim.ts` applied to a map. */
export interface MemoryTaskStore extends TaskStore {
  /** The items, for a test to look at or to put in place. */
  readonly items: Map<string, Task>;
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
