import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { transferTask } from '../claims/release-task.ts';
import { settleClaims } from '../claims/settle-claims.ts';
import { ExitCode } from '../exit-codes.ts';
import { findTask } from '../find-task.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee transfer T --to AGENT`: hands a task that this machine holds over to another machine. */
export const transferCommand = defineCommand({
  name: 'transfer',
  summary: 'hand a task that this machine holds over to another machine',
  args: [['<task>', 'task id, or the beginning of one']],
  options: [['--to <agent>', 'the name of the other machine']],
  examples: ['employee transfer t3f9c1a2 --to desktop'],
  input: z.object({ task: z.string(), to: z.string('name the other machine: --to AGENT').trim().min(1) }),
  async run({ task, to }, context) {
    const taskId = await withAgent(context, async (agent) => {
      await agent.session.pull();
      await settleClaims(agent);
      const found = findTask(agent, task).taskId;
      await transferTask(agent, found, to);
      return found;
    });
    context.out.result(
      { taskId, owner: to },
      (style) => `${style.good('handed over')} ${shortId(taskId)}: ${to} holds it now`,
    );
    return ExitCode.done;
  },
});
