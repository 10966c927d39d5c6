import { z } from 'zod';
import { collectGarbage } from '../collect-garbage.ts';
import type { GarbageReport } from '../collect-garbage.ts';
import { ExitCode } from '../exit-codes.ts';
import type { Style } from '../output.ts';
import { defineCommand, withAgent } from './command.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_LINES = 20;

const Age = z
  .string()
  .regex(/^[1-9]\d{0,4}d$/, 'say a number of days of at least one, such as 30d')
  .transform((text) => Number.parseInt(text, 10) * DAY_MS);

/** `employee gc`: removes stored contents that no entry of the ledger names. */
export const gcCommand = defineCommand({
  name: 'gc',
  summary: 'list stored contents that no entry of the ledger names, and remove them with --yes',
  options: [
    ['--yes', 'remove them; without it nothing is changed'],
    ['--older-than <days>', 'leave alone what is younger (default: 30d, at least 1d)'],
  ],
  examples: ['employee gc', 'employee gc --yes', 'employee gc --older-than 90d --json'],
  input: z.object({ yes: z.boolean().default(false), olderThan: Age.default(30 * DAY_MS) }),
  async run({ yes, olderThan }, context) {
    const report = await withAgent(context, (agent) =>
      collectGarbage(agent, { graceMs: olderThan, act: yes }),
    );
    context.out.result(report, (style) => garbageText(report, yes, style));
    return ExitCode.done;
  },
});

function garbageText(report: GarbageReport, acted: boolean, style: Style): string {
  const { entries, objects, named, waiting, garbage, garbageBytes, removed } = report;
  const size = `${(garbageBytes / 1e6).toFixed(1)} MB`;
  return [
    `${entries} entries read and checked; of ${objects} stored objects they name ${named}`,
    ...(waiting === 0 ? [] : [style.dim(`${waiting} are named by no entry and not old enough yet`)]),
    ...garbage
      .slice(0, MAX_LINES)
      .map(({ id, storedAt }) => style.dim(`  ${id.slice(0, 16)}…  ${storedAt.slice(0, 10)}`)),
    ...(garbage.length > MAX_LINES ? [style.dim(`  … and ${garbage.length - MAX_LINES} more`)] : []),
    garbage.length === 0
      ? style.good('nothing to remove')
      : acted
        ? style.good(`${removed} objects removed (${size})`)
        : `${garbage.length} objects (${size}) can be removed: "employee gc --yes"`,
  ].join('\n');
}
