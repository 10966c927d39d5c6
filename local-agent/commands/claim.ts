import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { claimAnywhere } from '../claims/claim-anywhere.ts';
import { takeOverByHand } from '../claims/take-over-by-hand.ts';
import type { WithAgent } from '../claims/take-over-by-hand.ts';
import { ExitCode } from '../exit-codes.ts';
import { defineCommand, withAgent, withResidentAgent } from './command.ts';

/** `employee claim T`: takes a task out of Needs_Action to work on it here. */
export const claimCommand = defineCommand({
  name: 'claim',
  summary: 'take a task out of Needs_Action/ to write its draft yourself',
  args: [['<task>', 'task id, or the beginning of one']],
  options: [['--takeover', 'from a holder that is gone: watches it for its whole lease first']],
  examples: ['employee claim t3f9c1a2', 'employee claim t3f9 --takeover'],
  input: z.object({ task: z.string(), takeover: z.boolean().default(false) }),
  async run({ task, takeover }, context) {
    const locked: WithAgent = (work) => withAgent(context, work);
    const resident: WithAgent = (work) => withResidentAgent(context, work);
    const taken = takeover ? await takeOverByHand(task, { locked, resident }) : undefined;
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
