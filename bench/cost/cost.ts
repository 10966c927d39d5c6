import { parseArgs } from 'node:util';
import { CostError } from './cost-error.ts';
import type { Wanted } from './make-report.ts';
import { REGIONS } from './price-list.ts';
import { textOf } from './report.ts';

const HELP = `npm run cost [-- OPTIONS]: what a deployment costs, from its templates, counted calls and infra/prices.json

  --stage S          dev or prod (default: dev)
  --profile P        lean or full (default: lean)
  --region R         ${REGIONS.join(' or ')} (default: ${REGIONS[0]})
  --mails-a-month N  for the sum of a month (default: 1000)
  --json             one JSON document on stdout, every charge in it
  --help             this

Examples:
  npm run cost
  npm run cost -- --profile full --stage prod --mails-a-month 20000
  npm run cost -- --region us-east-1 --json | jq .idle.usd

Mails are counted by sending them through the functions on this machine, which takes some seconds. What is assumed,
and what is left out, stands in docs/cost.md. The exit status is 1 if something has no known price.
`;

/** The command line is wrong; the message says how. */
class WrongUsage extends Error {
  static readonly code = 'WRONG_USAGE';
}

interface Asked extends Wanted {
  readonly help: boolean;
  readonly json: boolean;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const wanted = readArguments(args);
    if (wanted.help) {
      process.stdout.write(HELP);
      return 0;
    }
    // The toolkit takes a second to load: not for --help, nor for what is wrong with the command line.
    const { makeReport } = await import('./make-report.ts');
    const report = await makeReport(wanted);
    process.stdout.write(wanted.json ? `${JSON.stringify(report)}\n` : textOf(report));
    return 0;
  } catch (error) {
    if (error instanceof WrongUsage) {
      process.stderr.write(`${error.message} (--help shows how)\n`);
      return 2;
    }
    if (!(error instanceof CostError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function readArguments(args: readonly string[]): Asked {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        stage: { type: 'string', default: 'dev' },
        profile: { type: 'string', default: 'lean' },
        region: { type: 'string', default: REGIONS[0] },
        'mails-a-month': { type: 'string', default: '1000' },
      },
    });
    return {
      help: values.help,
      json: values.json,
      stage: oneOf('stage', values.stage, ['dev', 'prod']),
      profile: oneOf('profile', values.profile, ['lean', 'full']),
      region: oneOf('region', values.region, REGIONS),
      mails: countOf('mails-a-month', values['mails-a-month']),
    };
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
}

function oneOf<T extends string>(name: string, given: string, known: readonly T[]): T {
  const found = known.find((value) => value === given);
  if (found === undefined) throw new Error(`--${name} is "${given}"; it has to be ${known.join(' or ')}`);
  return found;
}

function countOf(name: string, given: string): number {
  if (!/^\d{1,9}$/.test(given)) throw new Error(`--${name} is "${given}"; it has to be a whole number`);
  return Number(given);
}
