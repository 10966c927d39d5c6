import { z } from 'zod';
import { counted } from '../counted.ts';
import { ExitCode } from '../exit-codes.ts';
import { inbox } from '../inbox.ts';
import { table } from '../table.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee inbox`: what waits for the person. */
export const inboxCommand = defineCommand({
  name: 'inbox',
  summary: 'what waits for you',
  options: [['--all', 'every task, also what is done, ignored or rejected']],
  examples: ['employee inbox', 'employee inbox --all', 'employee inbox --json'],
  input: z.object({ all: z.boolean().default(false) }),
  async run({ all }, context) {
    const items = await withAgent(context, async (agent) => inbox(agent, { all }));
    context.out.result(items, (style) => {
      if (items.length === 0) return all ? 'no tasks yet' : 'nothing waits for you';
      const rows = items.map((item) => [
        item.short,
        item.state,
        visibleLine(item.from ?? '', 32),
        visibleLine(item.subject ?? '', 44),
        (item.receivedAt ?? '').slice(0, 16).replace('T', ' '),
        item.warnings.length === 0 ? '' : style.warn(counted(item.warnings.length, 'warning')),
      ]);
      const shown = table(['ID', 'STATE', 'FROM', 'SUBJECT', 'CAME (UTC)', ''], rows);
      return `${shown}\n\n${style.dim('read one: employee show ID    approve it: employee approve ID')}`;
    });
    return ExitCode.done;
  },
});
