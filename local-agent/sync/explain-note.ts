import { jsonOf } from '#protocol/json-of.ts';
import type { Explanation } from '#protocol/note-explanation.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { z } from 'zod';
import type { Agent } from '../agent.ts';
import { load, store } from '../contents.ts';
import { appendNote } from './append-note.ts';
import { explained } from './note-text.ts';
import { isOfOnePath } from './one-path.ts';

const WAITING = 'explanations';
const Waiting = z.record(z.string(), z.object({ what: z.string(), why: z.string() })).catch({});

/** An explanation as the ledger and the inbox say it. */
export function inWords({ what, why }: Explanation): string {
  return `${what}: ${why}`.slice(0, 1000);
}

/**
 * Writes an explanation into the ledger's note of a task, where it stands for every machine; the note in
 * the vault follows with `placeNote`. While the task is approved or somebody works on it, the note is not
 * touched: the explanation waits on this machine until it may be.
 *
 * @returns whether the ledger was changed. The same explanation again changes nothing.
 */
export async function explainNote(agent: Agent, task: TaskView, explanation: Explanation): Promise<boolean> {
  if (!task.note) return false;
  if (!isOpen(task)) {
    setWaiting(agent, { ...waiting(agent), [task.taskId]: explanation });
    return false;
  }
  const before = await load(agent, task.note.content, 'shared');
  const after = explained(before, explanation);
  if (Buffer.compare(before, after) === 0) return false;
  const note = { name: task.note.name, content: await store(agent, after, 'shared') };
  return appendNote(agent, task, [{ event: 'edited', note, reason: inWords(explanation) }]);
}

/** Explanations that wait for their note to be free, by task. */
export function waiting(agent: Agent): Record<string, Explanation> {
  const text = agent.copy.fact(WAITING);
  return text === undefined ? {} : Waiting.parse(jsonOf(text));
}

/**
 * Writes those that waited and whose note is free now; one that cannot be written waits on.
 *
 * @returns the tasks whose note was changed.
 */
export async function explainWaiting(agent: Agent): Promise<TaskView[]> {
  const left = waiting(agent);
  const changed: TaskView[] = [];
  for (const [taskId, explanation] of Object.entries(left)) {
    const task = agent.session.state.tasks.get(taskId);
    if (task && !isOpen(task) && task.note) continue;
    try {
      if (task && (await explainNote(agent, task, explanation))) changed.push(task);
    } catch (error) {
      // A note whose contents cannot be had must not keep the others from being synced; its own sync names it.
      if (!isOfOnePath(error)) throw error;
      continue;
    }
    const { [taskId]: _written, ...others } = waiting(agent);
    setWaiting(agent, others);
  }
  return changed;
}

/** Whether nobody else has the note in hand, and no approval covers its bytes. */
function isOpen({ state }: TaskView): boolean {
  return !['approved', 'drafting', 'executing'].includes(state);
}

function setWaiting(agent: Agent, explanations: Record<string, Explanation>): void {
  agent.copy.setFact(WAITING, JSON.stringify(explanations));
}
