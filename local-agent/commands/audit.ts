import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { auditTrail } from '../audit.ts';
import { ExitCode } from '../exit-codes.ts';
import { findTask } from '../find-task.ts';
import { table } from '../table.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee audit [T]`: the trail of everything, or of one task. */
export const auditCommand = defineCommand({
  name: 'audit',
  summary: 'who did what and when: everything, or one task',
  args: [['[task]', 'task id, or the beginning of one']],
  examples: ['employee audit', 'employee audit t3f9c1a2 --json'],
  input: z.object({ task: z.string().optional() }),
  async run({ task }, context) {
    const lines = await withAgent(context, async (agent) =>
      auditTrail(agent, task === undefined ? undefined : findTask(agent, task).taskId),
    );
    context.out.result(lines, () => {
      if (lines.length === 0) return 'the ledger is empty';
      const rows = lines.map((line) => [
        String(line.n),
        line.at.slice(0, 19).replace('T', ' '),
        line.writer,
        line.kind,
        line.taskId === undefined ? '' : shortId(line.taskId),
        visibleLine(line.what, 100),
      ]);
      return table(['N', 'AT (UTC)', 'WHO', 'KIND', 'TASK', 'WHAT'], rows);
    });
    return ExitCode.done;
  },
});
