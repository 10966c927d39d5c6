import { z } from 'zod';
import { counted } from '../counted.ts';
import { folderOfState } from '../open-agent.ts';
import { runningDaemon } from '../daemon-file.ts';
import { ExitCode } from '../exit-codes.ts';
import { historyLines } from '../git/history-text.ts';
import type { Style } from '../output.ts';
import { agentStatus } from '../status.ts';
import type { Status } from '../status.ts';
import { visibleLine } from '../visible.ts';
import { withheldCount, withheldLines } from '../withheld-list.ts';
import { defineCommand, withAgent } from './command.ts';

/** `employee status`: health at one look. Ends with 1 when something is wrong. */
export const statusCommand = defineCommand({
  name: 'status',
  summary: 'health, lag and counts; which config is used',
  examples: ['employee status', 'employee status --json'],
  input: z.object({}),
  async run(_input, context) {
    const { location, out } = context;
    const status = await withAgent(context, async (agent) =>
      agentStatus(agent, location, await runningDaemon(folderOfState(location.configFile))),
    );
    out.result(status, (style) => statusText(status, style));
    return status.ok ? ExitCode.done : ExitCode.failed;
  },
});

function statusText(status: Status, style: Style): string {
  const { daemon, cloud, incidents, conflicts, withheld } = status;
  const known = incidents.filter(({ acknowledged }) => acknowledged).length;
  const counts = Object.entries(status.tasks).map(([state, count]) => `${count} ${state}`);
  const lag = cloud.reachable
    ? cloud.behind === 0
      ? style.good('in step')
      : style.warn(`${cloud.behind}${cloud.more === true ? '+' : ''} entries not here yet`)
    : style.bad(`not reachable: ${cloud.error ?? ''}`);
  const running = daemon
    ? `process ${daemon.pid}, desk ${daemon.desk}`
    : style.warn('not running (employee run)');
  return [
    `config   ${status.config.file}  ${style.dim(`(${status.config.because})`)}`,
    `agent    ${status.agent}`,
    `vault    ${status.vault}`,
    ...(status.vaultProblem === undefined || status.vaultProblem === daemon?.error
      ? []
      : [`         ${style.bad(visibleLine(status.vaultProblem))}`]),
    `daemon   ${running}`,
    ...(daemon?.error === undefined ? [] : [`         ${style.bad(visibleLine(daemon.error))}`]),
    `cloud    ${lag}`,
    `ledger   entry ${status.head}, last sync ${status.lastSync ?? 'never'}`,
    ...historyLines(status.history, status.head, style),
    `tasks    ${counts.length === 0 ? 'none yet' : counts.join(', ')}`,
    `waiting  ${status.waiting === 0 ? 'nothing' : style.bold(`${status.waiting} for you`)}`,
    ...incidents
      .filter(({ acknowledged }) => !acknowledged)
      .map(({ n, writer, message }) =>
        style.bad(`incident entry ${n} by ${writer}: ${visibleLine(message)}; see "employee incidents"`),
      ),
    ...(known === 0 ? [] : [style.dim(`known    ${counted(known, 'incident')}, acknowledged`)]),
    ...(conflicts.length === 0
      ? []
      : [style.warn(`conflict ${conflicts.length} to settle; see "employee conflicts"`)]),
    ...(withheld.length === 0
      ? []
      : [
          style.warn(`withheld ${withheldCount(withheld)}`),
          ...withheldLines(withheld).map((line) => style.dim(`         ${line}`)),
        ]),
  ].join('\n');
}
