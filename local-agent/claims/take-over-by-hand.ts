import { shortId } from '#protocol/ids.ts';
import type { Agent } from '../agent.ts';
import { findTask } from '../find-task.ts';
import { ClaimRefusedError } from './claim-errors.ts';
import { settleClaims } from './settle-claims.ts';
import { takeOver } from './take-over.ts';
import { waitForSilence } from './wait-for-silence.ts';

/** Gives an agent for one piece of work, and closes it whatever happens. */
export type WithAgent = <T>(work: (agent: Agent) => Promise<T>) => Promise<T>;

/** A task that was taken from a holder that is gone. */
export interface TakenOver {
  readonly taskId: string;
  readonly told: string;
  /** There is a draft to write. Otherwise the task only had to be nobody's any more. */
  readonly isWork: boolean;
}

/**
 * Takes a task over because a person says so, from a holder that gave no sign of life for its whole lease. That takes
 * minutes, in which the state folder of this machine is free for others.
 *
 * @param locked with the sole right to the state folder; `resident` without it.
 * @returns `undefined` when nobody else holds the task.
 * @throws {ClaimRefusedError} when the holder lives, another machine was quicker, or the task is being carried out.
 */
export async function takeOverByHand(
  prefix: string,
  { locked, resident }: { readonly locked: WithAgent; readonly resident: WithAgent },
): Promise<TakenOver | undefined> {
  const taskId = await locked(async (agent) => {
    await agent.session.pull();
    await settleClaims(agent);
    const { taskId: id, state } = findTask(agent, prefix);
    // Only its own machine knows how far an execution came; the daemon ends one that is silent.
    if (state === 'executing') {
      throw new ClaimRefusedError(`${shortId(id)} is being carried out; that cannot be claimed by hand`);
    }
    return id;
  });
  const seen = await resident((agent) => waitForSilence(agent, taskId));
  if (!seen) return undefined;
  return locked(async (agent) => {
    await agent.session.pull();
    const told = await takeOver(agent, taskId, seen, 'work');
    const { state } = findTask(agent, taskId);
    const isWork = state === 'drafting' || state === 'needs_action';
    if (told !== undefined) return { taskId, told, isWork };
    throw new ClaimRefusedError(
      `${shortId(taskId)} was not taken over: ${seen.owner} gave a sign of life, or another machine was quicker`,
    );
  });
}
