import { parseArgs } from 'node:util';
import { BundleError } from '#infra/build.ts';
import { InvalidSettingsError } from '#infra/config.ts';
import { SynthesisError } from '#infra/synth.ts';
import { countMails } from './count-mail.ts';
import { featuresOf } from './features.ts';
import { idleCost, UnpricedResourcesError } from './idle-cost.ts';
import { mailCost } from './mail-cost.ts';
import { readPrices, REGIONS, type Region } from './price-list.ts';
import { textOf, type CostReport } from './report.ts';
import { resourcesOf, type Deployment } from './templates.ts';
import { UnpricedCallError } from './unpriced-call.ts';

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

interface Wanted extends Deployment {
  readonly help: boolean;
  readonly json: boolean;
  readonly region: Region;
  readonly mails: number;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const wanted = readArguments(args);
    if (wanted.help) {
      process.stdout.write(HELP);
      return 0;
    }
    const report = await makeReport(wanted);
    process.stdout.write(wanted.json ? `${JSON.stringify(report)}\n` : textOf(report));
    return 0;
  } catch (error) {
    if (error instanceof WrongUsage) {
      process.stderr.write(`${error.message} (--help shows how)\n`);
      return 2;
    }
    const expected = [
      UnpricedResourcesError,
      UnpricedCallError,
      BundleError,
      InvalidSettingsError,
      SynthesisError,
    ];
    if (!(error instanceof Error) || !expected.some((kind) => error instanceof kind)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

async function makeReport({ stage, profile, region, mails }: Wanted): Promise<CostReport> {
  const prices = await readPrices(region);
  const resources = await resourcesOf({ stage, profile });
  const idle = idleCost(resources, prices);
  const features = featuresOf(resources);
  const perThousandMails = mailCost(await countMails(), prices, features);
  const { usd, storageUsd, sesUsd, modelUsd } = perThousandMails;
  const thousands = mails / 1000;
  const metrics = { what: 'functions', price: 'custom-metric', quantity: features.customMetrics };
  const metricsUsd = mails === 0 ? 0 : prices.usd(metrics).usd;
  return {
    stage,
    profile,
    region,
    pricesOf: prices.date,
    idle,
    perThousandMails,
    month: {
      mails,
      usd: idle.usd + thousands * (usd + storageUsd) + metricsUsd,
      metricsUsd,
      sesUsd: thousands * sesUsd,
      modelUsd: thousands * modelUsd,
    },
  };
}

function readArguments(args: readonly string[]): Wanted {
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
