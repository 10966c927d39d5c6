import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { ExitCode, UsageError } from '../exit-codes.ts';
import { acknowledgeIncidents, incidentsOf } from '../incidents.ts';
import type { Incident } from '../incidents.ts';
import type { Style } from '../output.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee incidents`: lists what was refused; `acknowledge N…` says that a person has looked at it. */
export const incidentsCommand = defineCommand({
  name: 'incidents',
  summary: 'refused entries that nobody honest writes; acknowledge those you have looked at',
  args: [
    ['[action]', '"acknowledge", or nothing to list them'],
    ['[entries...]', 'numbers of the refused entries'],
  ],
  options: [['--reason <text>', 'what you found out; it is signed and kept in the ledger']],
  examples: [
    'employee incidents',
    'employee incidents acknowledge 12 15 --reason "the test account, closed now"',
    'employee incidents --json',
  ],
  input: z.object({
    action: z.literal('acknowledge', 'is "acknowledge", or nothing').optional(),
    entries: z.array(z.string()).default([]),
    reason: z.string().trim().min(1, 'says nothing').max(2000).optional(),
  }),
  async run({ action, entries, reason }, context) {
    if (action === undefined) {
      const incidents = await withAgent(context, async (agent) => {
        await agent.session.pull();
        return incidentsOf(agent.session.state);
      });
      context.out.result({ incidents }, (style) => listed(incidents, style));
      return incidents.every(({ acknowledged }) => acknowledged) ? ExitCode.done : ExitCode.failed;
    }
    const numbers = numbersOf(entries);
    if (reason === undefined) {
      throw new UsageError('say with --reason what you found out: it is signed and kept in the ledger');
    }
    const done = await withAgent(context, (agent) => acknowledgeIncidents(agent, numbers, reason));
    context.out.result({ acknowledged: done }, (style) =>
      done.length === 0
        ? 'acknowledged before; nothing was written'
        : `${style.good('acknowledged')}  entry ${done.join(', ')}: ${visibleLine(reason)}`,
    );
    return ExitCode.done;
  },
});

/** `12 15`, `12,15` or both. */
function numbersOf(entries: readonly string[]): number[] {
  const words = entries.flatMap((text) => text.split(',')).filter((word) => word !== '');
  const numbers = words.map((word) => (/^[1-9]\d{0,14}$/.test(word) ? Number(word) : Number.NaN));
  if (numbers.length === 0 || numbers.some(Number.isNaN)) {
    throw new UsageError('name the entries by their numbers, as in "employee incidents acknowledge 12 15"');
  }
  return numbers;
}

function listed(incidents: readonly Incident[], style: Style): string {
  if (incidents.length === 0) return 'no incidents: the ledger has no entry that was refused';
  return incidents
    .map(({ n, writer, taskId, message, acknowledged }) => {
      const about = taskId === undefined ? '' : ` (${shortId(taskId)})`;
      const line = `entry ${n} by ${writer}${about}: ${visibleLine(message)}`;
      return acknowledged ? style.dim(`acknowledged  ${line}`) : `${style.bad('open        ')}  ${line}`;
    })
    .join('\n');
}
