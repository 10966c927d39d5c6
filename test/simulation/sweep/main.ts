import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { inFlight } from '#local-agent/in-flight.ts';
import { FAULTS_OF } from '../kernel/fate.ts';
import type { Fault } from '../kernel/fate.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { pointName, runPoint, sweep } from './sweep.ts';
import type { Swept } from './sweep.ts';

const HELP = `npm run simulate:sweep [-- OPTIONS]: every call of short scenarios fails in turn, and every invariant is checked

  --every K        only every K-th point (default: 1, all of them; that takes the better part of an hour)
  --from I         begin with the I-th point (default: 0)
  --scenario NAME  only this one; see the names below
  --point POINT    one point of it, with its trace; as it was printed, such as laptop/12/crash-after
  --json           one JSON document on stdout
  --help           this

Examples:
  npm run simulate:sweep -- --every 20
  npm run simulate:sweep -- --scenario "a mail is answered" --point laptop/12/crash-after

Scenarios:
${SCENARIOS.map(({ name }) => `  ${name}`).join('\n')}

The exit status is 0 if everything held, 1 if not, 2 for a wrong command line.
`;

/** The command line is wrong; the message says how. */
class UsageError extends Error {}

interface Asked {
  readonly every: number;
  readonly from: number;
  readonly scenario: Scenario | undefined;
  readonly point: string | undefined;
  readonly json: boolean;
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const asked = readArguments(argv);
    if (asked === 'help') {
      process.stdout.write(HELP);
      return 0;
    }
    if (asked.point !== undefined) return await showPoint(asked, asked.point);
    const swept = asked.scenario ? [await sweep(asked.scenario, asked)] : await sweepAll(asked);
    process.stdout.write(asked.json ? `${JSON.stringify(swept)}\n` : `${textOf(swept)}\n`);
    return swept.some(({ violations }) => violations.length > 0) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message} (--help shows how)\n`);
    return 2;
  }
}

/** Each scenario in a process of its own: one world at a time is on stage in a process. */
async function sweepAll({ every, from, json }: Asked): Promise<readonly Swept[]> {
  const all: Swept[] = [];
  await inFlight(SCENARIOS, availableParallelism(), async ({ name }) => {
    const startedMs = performance.now();
    const [swept] = await sweepApart(name, every, from);
    if (!swept) throw new Error(`no answer for ${name}`);
    all.push(swept);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    if (!json)
      process.stderr.write(
        `${name}: ${swept.points} points, ${swept.violations.length} violations, ${seconds} s\n`,
      );
  });
  return SCENARIOS.flatMap(({ name }) => all.filter(({ scenario }) => scenario === name));
}

function sweepApart(scenario: string, every: number, from: number): Promise<readonly Swept[]> {
  const args = [...process.execArgv, import.meta.filename, '--json', '--scenario', scenario];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [...args, '--every', String(every), '--from', String(from)],
      { maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        if (stdout === '') reject(new Error(stderr || (error?.message ?? 'it said nothing')));
        else resolve(JSON.parse(stdout) as Swept[]);
      },
    );
  });
}

async function showPoint({ scenario }: Asked, text: string): Promise<number> {
  const [, actor = '', n = '', fault = ''] = /^([^/]+)\/(\d+)\/([a-z-]+)/.exec(text) ?? [];
  const isFault = Object.values(FAULTS_OF).some((all) => all.some((known) => known === fault));
  if (!scenario || !isFault)
    throw new UsageError(`--point ${text} needs --scenario, and a form like laptop/12/crash-after`);
  const point = { actor, n: Number(n), call: '', fault: fault as Fault };
  const { trace, violation } = await runPoint(scenario, point, 'changes');
  process.stdout.write(`${trace.join('\n')}\n${violation ? `${violation.message}` : 'everything held'}\n`);
  return violation ? 1 : 0;
}

function textOf(swept: readonly Swept[]): string {
  const lines = swept.flatMap(({ scenario, calls, points, violations }) => [
    `${scenario}: ${calls} calls, ${points} points, ${violations.length} violations`,
    ...violations.map(({ point, message }) => `  ${pointName(point)}: ${message}`),
  ]);
  const points = swept.reduce((sum, each) => sum + each.points, 0);
  const broken = swept.reduce((sum, each) => sum + each.violations.length, 0);
  return [...lines, `${swept.length} scenarios, ${points} points, ${broken} violations`].join('\n');
}

function readArguments(argv: readonly string[]): Asked | 'help' {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        every: { type: 'string', default: '1' },
        from: { type: 'string', default: '0' },
        scenario: { type: 'string' },
        point: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return 'help';
  const number = (name: string, text: string, least: number): number => {
    if (!/^\d{1,7}$/.test(text) || Number(text) < least)
      throw new UsageError(`--${name} is "${text}"; it has to be a number from ${least}`);
    return Number(text);
  };
  const scenario = SCENARIOS.find(({ name }) => name === values.scenario);
  if (values.scenario !== undefined && !scenario)
    throw new UsageError(`there is no scenario "${values.scenario}"`);
  const { point, json } = values;
  return {
    every: number('every', values.every, 1),
    from: number('from', values.from, 0),
    scenario,
    point,
    json,
  };
}
