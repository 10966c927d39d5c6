import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { ownerReport } from '../claims/owner-report.ts';
import type { OwnerReport } from '../claims/owner-report.ts';
import { ExitCode } from '../exit-codes.ts';
import { findTask } from '../find-task.ts';
import type { Style } from '../output.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee owner T`: who holds a task, and whether ledger and task store agree. Ends with 1 when not. */
export const ownerCommand = defineCommand({
  name: 'owner',
  summary: 'who holds a task, as the ledger and the task store say it',
  args: [['<task>', 'task id, or the beginning of one']],
  examples: ['employee owner t3f9c1a2', 'employee owner t3f9 --json'],
  input: z.object({ task: z.string() }),
  async run({ task }, context) {
    const report = await withAgent(context, async (agent) => {
      await agent.session.pull();
      return ownerReport(agent, findTask(agent, task).taskId);
    });
    context.out.result(report, (style) => textOf(report, style));
    return report.agree ? ExitCode.done : ExitCode.failed;
  },
});

function textOf({ taskId, ledger, item, silentSince, pending, problems }: OwnerReport, style: Style): string {
  const says = (what: { owner: string | null; state: string; home: string; epoch: number }): string =>
    `${what.owner ?? 'nobody'}, ${what.state.replaceAll('_', ' ')}, at home ${what.home}, epoch ${what.epoch}`;
  const seen = silentSince === null ? '' : `, seen by this machine's daemon since ${silentSince}`;
  return [
    `task     ${shortId(taskId)}`,
    `ledger   ${says(ledger)}`,
    `store    ${item ? says(item) : 'no item'}`,
    ...(item?.owner == null ? [] : [`lease    ${item.leaseMs / 1000} s, heartbeat ${item.heartbeat}${seen}`]),
    ...(pending === null
      ? []
      : [style.warn(`pending  a ${pending} of this machine; "employee sync" settles it`)]),
    ...(problems.length === 0 ? [style.good('agree')] : problems.map((problem) => style.bad(problem))),
  ].join('\n');
}
