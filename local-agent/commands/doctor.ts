import { z } from 'zod';
import { runDoctor } from '../doctor.ts';
import type { Check } from '../doctor-check.ts';
import { ExitCode } from '../exit-codes.ts';
import type { Style } from '../output.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand } from './command.ts';

/** `employee doctor`: everything that can be wrong, with the fix. Ends with 1 when something is; a warning is nothing wrong yet. */
export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'check everything that can be wrong, with the fix',
  examples: ['employee doctor', 'employee doctor --config ~/.config/ai-employee/employee.json --json'],
  input: z.object({}),
  async run(_input, { location, out }) {
    const checks = await runDoctor(location);
    const ok = checks.every((check) => check.ok);
    out.result({ ok, checks }, (style) => {
      const width = Math.max(...checks.map(({ name }) => name.length));
      const lines = checks.flatMap((check) => [
        `${wordOf(check, style)}  ${check.name.padEnd(width)}  ${visibleLine(check.detail)}`,
        ...(check.fix === undefined ? [] : [`${' '.repeat(9)}${' '.repeat(width)}  fix: ${check.fix}`]),
      ]);
      return lines.join('\n');
    });
    return ok ? ExitCode.done : ExitCode.failed;
  },
});

function wordOf({ ok, warning }: Check, style: Style): string {
  if (!ok) return style.bad('problem');
  return warning === true ? style.warn('warning') : style.good('ok     ');
}
