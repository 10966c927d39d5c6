import { z } from 'zod';
import { ExitCode } from '../exit-codes.ts';
import { findTask } from '../find-task.ts';
import { previewTask } from '../show.ts';
import { previewText } from '../preview-text.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee show T`: exactly what would be done, and what is known of the sender. */
export const showCommand = defineCommand({
  name: 'show',
  summary: 'exactly what would be sent, to whom, and who asked for it',
  args: [['<task>', 'task id, or the beginning of one']],
  examples: ['employee show t3f9c1a2', 'employee show t3f9 --json'],
  input: z.object({ task: z.string() }),
  async run({ task }, context) {
    const preview = await withAgent(context, (agent) => previewTask(agent, findTask(agent, task).taskId));
    context.out.result(preview, (style) => previewText(preview, style));
    return ExitCode.done;
  },
});
