import { z } from 'zod';
import { shortId } from '#protocol/ids.ts';
import { ExitCode } from '../exit-codes.ts';
import { syncVault } from '../sync/sync.ts';
import { syncWords } from '../sync/sync-words.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee sync`: one sync. Incidents make it end with 1. */
export const syncCommand = defineCommand({
  name: 'sync',
  summary: 'bring vault and ledger together, once',
  options: [['--allow-deletes', 'you meant it that more than half of the files are gone']],
  examples: ['employee sync', 'employee sync --json', 'employee sync --allow-deletes'],
  input: z.object({ allowDeletes: z.boolean().default(false) }),
  async run(options, context) {
    const report = await withAgent(context, (agent) => syncVault(agent, options));
    context.out.result(report, (style) =>
      [
        `in step with entry ${report.head}: ${syncWords(report)}`,
        ...report.wishes.map(
          ({ taskId, wish, outcome }) => `  ${shortId(taskId)}  ${wish}: ${visibleLine(outcome)}`,
        ),
        ...report.explained.map((line) => `  ${visibleLine(line)}`),
        ...report.conflicts.map((path) => style.warn(`  both versions kept: ${visibleLine(path)}`)),
        ...report.newlyWithheld.map(({ path, why }) =>
          style.dim(`  stays on this machine: ${visibleLine(path)} (${why})`),
        ),
        ...report.incidents.map(({ n, writer, message }) =>
          style.bad(`  incident: entry ${n} by ${writer}: ${visibleLine(message)}`),
        ),
      ].join('\n'),
    );
    if (report.incidents.length > 0) return ExitCode.failed;
    return report.wishes.some(({ outcome }) => outcome.startsWith('not done'))
      ? ExitCode.person
      : ExitCode.done;
  },
});
