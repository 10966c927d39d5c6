import { z } from 'zod';
import { ExitCode } from '../exit-codes.ts';
import { verifyVault } from '../verify.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee verify`: proves ledger and vault from the first entry on. */
export const verifyCommand = defineCommand({
  name: 'verify',
  summary: 'prove that ledger and vault are whole and that nothing ran without approval',
  examples: ['employee verify', 'employee verify --json'],
  input: z.object({}),
  async run(_input, context) {
    const report = await withAgent(context, verifyVault);
    context.out.result(report, (style) =>
      [
        report.ok
          ? `${style.good('verified')}  ${report.entries} entries, no problem found`
          : `${style.bad('problems found')}  ${report.entries} entries read`,
        ...report.problems.map(({ n, path, code, message }) => {
          const where = [n === undefined ? '' : `entry ${n}`, path ?? ''].filter(Boolean).join(', ');
          return `  ${style.bad(code)}  ${where === '' ? '' : `${where}: `}${visibleLine(message)}`;
        }),
      ].join('\n'),
    );
    return report.ok ? ExitCode.done : ExitCode.failed;
  },
});
