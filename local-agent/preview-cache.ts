import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { previewTask } from './show.ts';
import type { Preview } from './show.ts';

/** What each preview was made of. */
const sources = new WeakMap<Preview, string>();

/**
 * The previews of tasks. One whose task and note are what they were is the one of `before`, without a
 * read; those with attached files are made anew, for the files may have changed.
 */
export async function previewTasks(
  agent: Agent,
  taskIds: readonly string[],
  before: readonly Preview[],
): Promise<Preview[]> {
  const known = new Map(before.map((preview) => [preview.task.taskId, preview]));
  const previews: Preview[] = [];
  for (const taskId of taskIds) {
    const source = await sourceOf(agent, agent.session.state.tasks.get(taskId));
    const earlier = known.get(taskId);
    if (earlier && source !== undefined && sources.get(earlier) === source) {
      previews.push(earlier);
      continue;
    }
    const preview = await previewTask(agent, taskId);
    const isWhole = preview.actions.every(({ attachments }) => attachments.length === 0) && !preview.problem;
    if (source !== undefined && isWhole) sources.set(preview, source);
    previews.push(preview);
  }
  return previews;
}

/** `undefined` where a change could go unseen. */
async function sourceOf(agent: Agent, task: TaskView | undefined): Promise<string | undefined> {
  const path = task && notePath(task);
  const stat = path === undefined ? undefined : await agent.files.stat(path);
  if (!task || !stat?.settled) return undefined;
  const { sizeBytes, modifiedMs, changedMs, fileId } = stat;
  return JSON.stringify([task.updatedN, path, sizeBytes, modifiedMs, changedMs, fileId]);
}
