import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { executeApproved } from '../execute.ts';
import { ExitCode } from '../exit-codes.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee execute`: one pass over what is approved, at once. Ends with 3 when a person is needed. */
export const executeCommand = defineCommand({
  name: 'execute',
  summary: 'run what is approved, now',
  options: [['--undo-seconds <n>', 'leave approvals alone that are younger (default 0)']],
  examples: ['employee execute', 'employee execute --json'],
  input: z.object({
    undoSeconds: z.coerce.number('a number of seconds').int().min(0).max(86_400).default(0),
  }),
  async run({ undoSeconds }, context) {
    const report = await withAgent(context, (agent) => executeApproved(agent, { undoSeconds }));
    context.out.result(report, (style) => {
      const { executed, refused, needsPerson } = report;
      if (executed.length + refused.length + needsPerson.length === 0) return 'nothing is approved';
      return [
        ...executed.map(({ taskId, outcome, providerId, detail }) => {
          const word = outcome === 'succeeded' ? style.good('done') : style.bad(outcome);
          return `${word}  ${shortId(taskId)}  ${visibleLine([providerId, detail].filter(Boolean).join('  '))}`;
        }),
        ...refused.map(
          ({ taskId, why }) => `${style.bad('refused')}  ${shortId(taskId)}  ${visibleLine(why)}`,
        ),
        ...needsPerson.map(
          ({ taskId, why }) => `${style.warn('needs you')}  ${shortId(taskId)}  ${visibleLine(why)}`,
        ),
      ].join('\n');
    });
    if (report.refused.length + report.needsPerson.length > 0) return ExitCode.person;
    return report.executed.some(({ outcome }) => outcome !== 'succeeded') ? ExitCode.failed : ExitCode.done;
  },
});
