import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { releaseTask } from '../claims/release-task.ts';
import { settleClaims } from '../claims/settle-claims.ts';
import { ExitCode } from '../exit-codes.ts';
import { findTask } from '../find-task.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee release T`: puts down a task that this machine holds. */
export const releaseCommand = defineCommand({
  name: 'release',
  summary: 'put down a task that this machine holds',
  args: [['<task>', 'task id, or the beginning of one']],
  options: [['--to <state>', 'needs_action (default), or pending_approval with your draft in the note']],
  examples: ['employee release t3f9c1a2', 'employee release t3f9 --to pending_approval'],
  input: z.object({
    task: z.string(),
    to: z
      .enum(['needs_action', 'pending_approval'], 'needs_action or pending_approval')
      .default('needs_action'),
  }),
  async run({ task, to }, context) {
    const taskId = await withAgent(context, async (agent) => {
      await agent.session.pull();
      await settleClaims(agent);
      const found = findTask(agent, task).taskId;
      await releaseTask(agent, found, to);
      return found;
    });
    context.out.result(
      { taskId, state: to },
      (style) => `${style.good('released')} ${shortId(taskId)}: it is ${to.replaceAll('_', ' ')} now`,
    );
    return ExitCode.done;
  },
});
