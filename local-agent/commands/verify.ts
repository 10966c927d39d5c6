import { z } from 'zod';
import { counted } from '../counted.ts';
import { ExitCode } from '../exit-codes.ts';
import type { Output, Style } from '../output.ts';
import { verifyVault } from '../verify/verify.ts';
import type { VerifyProgress, VerifyReport } from '../verify/verify.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

/** A person sees the first of many; `--json` has all. */
const MAX_LINES = 50;
const SAY_EVERY_MS = 2000;

/** `employee verify`: proves ledger and vault from the first entry on. */
export const verifyCommand = defineCommand({
  name: 'verify',
  summary: 'prove that ledger and vault are whole and that nothing ran without approval',
  options: [['--quick', 'do not read stored contents again that were found good before']],
  examples: ['employee verify', 'employee verify --quick', 'employee verify --json'],
  input: z.object({ quick: z.boolean().default(false) }),
  async run({ quick }, context) {
    const progress = progressTo(context.out);
    const report = await withAgent(context, (agent) => verifyVault(agent, { quick, progress }));
    context.out.result(report, (style) => verifyText(report, style));
    return report.ok ? ExitCode.done : ExitCode.failed;
  },
});

/** Says on stderr how far long work has come, not more often than a person wants to read. */
export function progressTo(out: Output): VerifyProgress {
  let saidMs = performance.now();
  return (what, done, total) => {
    if (performance.now() - saidMs < SAY_EVERY_MS) return;
    saidMs = performance.now();
    out.log(`${what}: ${done}${total === undefined ? '' : ` of ${total}`} checked …`);
  };
}

function verifyText(report: VerifyReport, style: Style): string {
  const { ok, entries, tasks, files, contents, problems, notices } = report;
  const read = [
    counted(entries, 'entry', 'entries'),
    counted(tasks, 'task'),
    counted(files, 'file'),
    counted(contents, 'stored content'),
  ].join(', ');
  const lines = [
    ok ? `${style.good('verified')}  ${read}, no problem found` : `${style.bad('problems found')}  ${read}`,
    ...problems.slice(0, MAX_LINES).flatMap(({ n, path, code, message, fix }) => {
      const where = [n === undefined ? '' : `entry ${n}`, visibleLine(path ?? '')].filter(Boolean).join(', ');
      return [
        `  ${style.bad(code)}  ${where === '' ? '' : `${where}: `}${visibleLine(message, 300)}`,
        `    ${style.dim(`do: ${fix}`)}`,
      ];
    }),
    ...notices.slice(0, MAX_LINES).map(({ code, n, path, message }) => {
      const where = [n === undefined ? '' : `entry ${n}`, visibleLine(path ?? '')].filter(Boolean).join(', ');
      return style.dim(`  ${code}  ${where === '' ? '' : `${where}: `}${visibleLine(message, 300)}`);
    }),
  ];
  const left = Math.max(0, problems.length - MAX_LINES) + Math.max(0, notices.length - MAX_LINES);
  return [...lines, ...(left === 0 ? [] : [`  … and ${left} more; --json lists all`])].join('\n');
}
