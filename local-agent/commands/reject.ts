import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { ExitCode } from '../exit-codes.ts';
import { findTask } from '../find-task.ts';
import { rejectTask } from '../reject.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee reject T --reason R`: ends a task without running it. */
export const rejectCommand = defineCommand({
  name: 'reject',
  summary: 'end a task without running it',
  args: [['<task>', 'task id, or the beginning of one']],
  options: [['--reason <words>', 'why; it goes into the ledger']],
  examples: ['employee reject t3f9c1a2 --reason "answered by phone"'],
  input: z.object({
    task: z.string(),
    reason: z
      .string('say why: --reason WORDS')
      .trim()
      .min(1, 'say why in a few words')
      .max(2000, 'at most 2000 characters'),
  }),
  async run({ task, reason }, context) {
    const taskId = await withAgent(context, async (agent) => {
      const found = findTask(agent, task).taskId;
      await rejectTask(agent, found, reason);
      return found;
    });
    context.out.result(
      { taskId, state: 'rejected', reason },
      (style) => `${style.good('rejected')} ${shortId(taskId)}: ${reason}`,
    );
    return ExitCode.done;
  },
});
