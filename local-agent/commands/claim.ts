import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { openResidentAgent } from '../open-agent.ts';
import { claimAnywhere } from '../claims/claim-anywhere.ts';
import { ClaimRefusedError } from '../claims/claim-errors.ts';
import { settleClaims } from '../claims/settle-claims.ts';
import { takeOver } from '../claims/take-over.ts';
import { waitForSilence } from '../claims/wait-for-silence.ts';
import { ExitCode } from '../exit-codes.ts';
import { findTask } from '../find-task.ts';
import { defineCommand, withAgent } from './command.ts';
import type { CommandContext } from './command.ts';

/** `employee claim T`: takes a task out of Needs_Action to work on it here. */
export const claimCommand = defineCommand({
  name: 'claim',
  summary: 'take a task out of Needs_Action/ to write its draft yourself',
  args: [['<task>', 'task id, or the beginning of one']],
  options: [['--takeover', 'from a holder that is gone: watches it for its whole lease first']],
  examples: ['employee claim t3f9c1a2', 'employee claim t3f9 --takeover'],
  input: z.object({ task: z.string(), takeover: z.boolean().default(false) }),
  async run({ task, takeover }, context) {
    const taken = takeover ? await takeOverByHand(task, context) : undefined;
    if (taken && !taken.isWork) {
      const { taskId, told } = taken;
      context.out.result({ taskId, takeover: told }, (style) => `${style.good('freed')} ${told}`);
      return ExitCode.done;
    }
    const done = await withAgent(context, async (agent) => ({
      agent: agent.config.agent,
      ...(await claimAnywhere(agent, task)),
    }));
    context.out.result({ ...done, owner: done.agent, ...(taken ? { takeover: taken.told } : {}) }, (style) =>
      done.offline
        ? `${style.warn('claimed offline')} ${shortId(done.taskId)}: it goes into the ledger with the next sync`
        : `${style.good('claimed')} ${shortId(done.taskId)}: its note is in In_Progress/${done.agent}/`,
    );
    return ExitCode.done;
  },
});

interface TakenOver {
  readonly taskId: string;
  readonly told: string;
  /** There is a draft to write. Otherwise the task only had to be nobody's any more. */
  readonly isWork: boolean;
}

/** The state folder is not locked while the holder is watched: that takes minutes. */
async function takeOverByHand(prefix: string, context: CommandContext): Promise<TakenOver | undefined> {
  const { configFile, vault } = context.location;
  const taskId = await withAgent(context, async (agent) => {
    await agent.session.pull();
    await settleClaims(agent);
    const { taskId: id, state } = findTask(agent, prefix);
    // Only its own machine knows how far an execution came; the daemon ends one that is silent.
    if (state === 'executing') {
      throw new ClaimRefusedError(`${shortId(id)} is being carried out; that cannot be claimed by hand`);
    }
    return id;
  });
  const observer = await openResidentAgent(configFile, { vault, log: (line) => context.out.log(line) });
  let seen;
  try {
    seen = await waitForSilence(observer, taskId);
  } finally {
    await observer.close();
  }
  if (!seen) return undefined;
  const silent = seen;
  return withAgent(context, async (agent) => {
    await agent.session.pull();
    const told = await takeOver(agent, taskId, silent, 'work');
    const { state } = findTask(agent, taskId);
    const isWork = state === 'drafting' || state === 'needs_action';
    if (told !== undefined) return { taskId, told, isWork };
    throw new ClaimRefusedError(
      `${shortId(taskId)} was not taken over: ${silent.owner} gave a sign of life, or another machine was quicker`,
    );
  });
}
