import type { TaskStore } from '#protocol/ports.ts';
import { createRuledTaskStore } from '#protocol/ruled-task-store.ts';
import type { Task } from '#protocol/task.ts';

/** A task store in memory: the pure rules of `protocol/claim.ts` applied to a map. */
export interface MemoryTaskStore extends TaskStore {
  /** The items, for a test to look at or to put in place. */
  readonly items: Map<string, Task>;
}

/** Makes an empty task store. Every call answers in a later microtask, as a real one would. */
export function createMemoryTaskStore(): MemoryTaskStore {
  const items = new Map<string, Task>();
  const store = createRuledTaskStore({
    get: async (taskId) => structuredClone(items.get(taskId)),
    async decide(taskId, rule) {
      await Promise.resolve();
      const answer = rule(items.get(taskId));
      if (answer.won) items.set(taskId, structuredClone(answer.task));
      return answer;
    },
  });
  return { ...store, items };
}
