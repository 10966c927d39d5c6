import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskSeed } from './task-store.contract.ts';

/** Where `createFileTaskStore` keeps a task. */
export function taskFolder(folder: string, taskId: string): string {
  return path.join(folder, taskId.slice(1, 3), taskId);
}

/** Puts a task as files, around the store. */
export function seedTaskFiles(folder: string): TaskSeed {
  return {
    put: async (task) => {
      const place = taskFolder(folder, task.taskId);
      await rm(place, { recursive: true, force: true });
      await mkdir(place, { recursive: true });
      const mark = randomUUID();
      await writeFile(path.join(place, `item.${task.version}.${mark}`), JSON.stringify(task));
      await writeFile(path.join(place, `head.${task.version}.${mark}`), '');
    },
  };
}
