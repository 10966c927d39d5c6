import { z } from 'zod';
import { runDoctor } from '../doctor.ts';
import { ExitCode } from '../exit-codes.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand } from './command.ts';

/** `employee doctor`: everything that can be wrong, with the fix. Ends with 1 when something is. */
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
      const lines = checks.flatMap(({ name, ok: fine, detail, fix }) => [
        `${fine ? style.good('ok     ') : style.bad('problem')}  ${name.padEnd(width)}  ${visibleLine(detail)}`,
        ...(fine || fix === undefined ? [] : [`${' '.repeat(9)}${' '.repeat(width)}  fix: ${fix}`]),
      ]);
      return lines.join('\n');
    });
    return ok ? ExitCode.done : ExitCode.failed;
  },
});
