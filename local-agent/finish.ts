import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { TaskState } from '#protocol/task.ts';
import type { Agent } from './agent.ts';
import { appendChange } from './append-change.ts';
import type { JournaledEffect } from './ledger-copy.ts';
import { oneByOne } from './one-by-one.ts';
import { placeNote } from './sync/place-note.ts';
import { unexplainedNote } from './sync/unexplained-note.ts';
import type { ToolOutcome } from './tool-host.ts';

/** How a task ended, as it is told to the person. */
export interface Finished {
  readonly taskId: string;
  readonly outcome: string;
  readonly providerId?: string;
  readonly detail?: string;
}

/**
 * What is known of an effect whose result is not in the ledger. Without a journal entry of this machine
 * (a restored disk, say) nothing is known, and nothing is assumed.
 */
function outcomeOf(effect: JournaledEffect | undefined): ToolOutcome {
  switch (effect?.stage) {
    case 'answered':
      return effect.outcome;
    case 'prepared':
      return { status: 'failed', detail: 'this machine stopped before the call; nothing was sent' };
    case 'called':
      return { status: 'indeterminate', detail: 'this machine stopped between the call and its answer' };
    case undefined:
      return { status: 'indeterminate', detail: 'this machine has no record of the call' };
  }
}

/** Writes the result of an intent that has none yet, puts the claim down and files the note. */
export async function finish(agent: Agent, task: TaskView, epoch: number): Promise<Finished> {
  const before = notePath(task);
  if (task.state === 'executing' && task.intent && task.owner === agent.config.agent) {
    const intentN = task.intent.n;
    const outcome = outcomeOf(agent.copy.journaled(task.intent.idempotencyKey));
    const note = before === undefined ? undefined : await unexplainedNote(agent, task, before);
    await agent.session.append((state) => {
      const now = state.tasks.get(task.taskId);
      // Whoever took it over says how it ended, and this machine tells what it knows after that.
      const isHeld = now?.state === 'executing' && now.owner === agent.config.agent;
      if (!isHeld || now.intent?.n !== intentN) return undefined;
      const { status, ...rest } = outcome;
      return {
        taskId: task.taskId,
        epoch: now.epoch,
        body: {
          kind: 'result',
          intentN,
          outcome: status,
          ...('providerId' in rest && rest.providerId !== undefined
            ? { providerId: rest.providerId.slice(0, 300) }
            : {}),
          ...(rest.detail === undefined ? {} : { detail: rest.detail.slice(0, 2000) }),
          ...(note ? { note } : {}),
        },
      };
    });
  }
  await tellLate(agent, task, epoch);
  await putDown(agent, task, epoch);
  await placeNote(agent, task, before);
  const { result } = task;
  return {
    taskId: task.taskId,
    outcome: result?.outcome ?? task.state,
    ...(result?.providerId === undefined ? {} : { providerId: result.providerId }),
    ...(result?.detail === undefined ? {} : { detail: result.detail }),
  };
}

/**
 * Settles what an earlier run of this agent left half done. An effect that was begun and whose answer
 * this machine does not have is `indeterminate`: it is never tried again by itself.
 */
export async function recover(agent: Agent, finished: Finished[], failures: unknown[]): Promise<void> {
  const { tasks } = agent.session.state;
  for (const task of tasks.values()) {
    if (task.state !== 'executing' || task.owner !== agent.config.agent) continue;
    await oneByOne(failures, async () => {
      // A copy that came back from a backup does not know of it, and it may take another try to put it down.
      agent.copy.noteClaim(task.taskId, task.epoch);
      finished.push(await finish(agent, task, task.epoch));
    });
  }
  for (const { taskId, epoch } of agent.copy.openClaims()) {
    const task = tasks.get(taskId);
    if (!task) continue;
    await oneByOne(failures, async () => {
      await tellLate(agent, task, epoch);
      await putDown(agent, task, epoch);
    });
  }
}

/**
 * Another machine took this one for dead and has written that nobody knows how the effect ended. The result
 * of this one comes too late to be one; the person is told what it was.
 */
async function tellLate(agent: Agent, task: TaskView, epoch: number): Promise<void> {
  const key = `${task.taskId}-${epoch}`;
  const effect = agent.copy.journaled(key);
  const { intent, result } = task;
  if (effect?.stage !== 'answered' && effect?.stage !== 'prepared') return;
  const known = outcomeOf(effect);
  if (intent?.idempotencyKey !== key || result?.outcome !== 'indeterminate') return;
  if (known.status === 'indeterminate') return;
  const words = 'providerId' in known && known.providerId !== undefined ? ` (${known.providerId})` : '';
  const how = known.status === 'succeeded' ? `it was done${words}` : 'nothing was sent';
  const reason = `${agent.config.agent} answers late, after its claim was taken over: ${how}`;
  await appendChange(agent, task, 'edited', { reason });
}

/** Releases the item to the state that the ledger says. A claim that was lost meanwhile is not ours to touch. */
async function putDown(agent: Agent, task: TaskView, epoch: number): Promise<void> {
  const { state, owner, intent } = task;
  // Its end could not be written: the claim stands until it is.
  if (state === 'executing' && owner === agent.config.agent) return;
  // Taken over, and its end not written yet: what this machine knows of it is still to be told.
  const isOpen = state === 'executing' && owner !== agent.config.agent;
  if (isOpen && intent?.idempotencyKey === `${task.taskId}-${epoch}`) return;
  const to: TaskState = task.state;
  const request = {
    taskId: task.taskId,
    owner: agent.config.agent,
    epoch,
    to,
    home: 'local',
    effects: task.intent ? 1 : 0,
  } as const;
  await agent.tasks.release(request);
  agent.copy.noteClaim(task.taskId, undefined);
}
