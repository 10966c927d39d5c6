import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { approveTask } from '../approve.ts';
import { ExitCode } from '../exit-codes.ts';
import { findTask } from '../find-task.ts';
import { actionLines } from '../preview-text.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee approve T`: signs what stands in the note, byte for byte. */
export const approveCommand = defineCommand({
  name: 'approve',
  summary: 'approve what stands in the note, byte for byte',
  args: [['<task>', 'task id, or the beginning of one']],
  options: [
    ['--digest <hex>', 'only if it is still what "show" showed: the digest from there, or its beginning'],
    ['--again', 'try once more what failed, or what may have been done already'],
  ],
  examples: ['employee approve t3f9c1a2', 'employee approve t3f9 --digest 9ac04d1e'],
  input: z.object({
    task: z.string(),
    digest: z
      .string()
      .regex(/^[0-9a-fA-F]{8,64}$/, 'at least 8 hex digits of the digest')
      .optional(),
    again: z.boolean().default(false),
  }),
  async run({ task, digest, again }, context) {
    const report = await withAgent(context, (agent) =>
      approveTask(agent, findTask(agent, task).taskId, { method: 'command', digest, again }),
    );
    context.out.result(report, (style) =>
      [
        `${style.good('approved')} ${shortId(report.taskId)}, until ${report.expires}; digest ${report.actionsDigest}`,
        '',
        ...report.actions.flatMap((action) => actionLines(action, style)),
      ].join('\n'),
    );
    return ExitCode.done;
  },
});
