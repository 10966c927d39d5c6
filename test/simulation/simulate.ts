import { minimise, planWith } from './minimise.ts';
import { runMany } from './run-many.ts';
import { runSeed } from './run-seed.ts';
import type { SeedResult } from './run-seed.ts';
import { summaryOf } from './seed-worker.ts';
import { HELP, readOptions, SimulateUsageError } from './simulate-options.ts';
import type { SimulateOptions } from './simulate-options.ts';
import { totalsOf } from './totals.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** On a terminal the line is written over; elsewhere it is one line a minute. */
const PROGRESS_MS = process.stderr.isTTY ? 500 : 60_000;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    say(HELP);
    return 0;
  }
  return options.seed === undefined ? many(options) : one(options.seed, options);
}

async function many({ seeds, from, minutes, jobs, json }: SimulateOptions): Promise<number> {
  const totals = totalsOf();
  const last =
    seeds === undefined && minutes !== undefined ? Number.POSITIVE_INFINITY : from + (seeds ?? 100) - 1;
  const endMs = minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + minutes * 60_000;
  let seed = from;
  let isInterrupted = false;
  const stop = (): void => {
    isInterrupted = true;
  };
  process.once('SIGINT', stop);
  const end = process.stderr.isTTY ? '\r' : '\n';
  const progress = setInterval(() => process.stderr.write(`${totals.line(last)}${end}`), PROGRESS_MS);
  try {
    await runMany(
      () => (isInterrupted || seed > last || performance.now() >= endMs ? undefined : seed++),
      Math.min(jobs, last - from + 1),
      (summary) => {
        totals.add(summary);
        const { violation } = summary;
        if (violation && !json)
          say(
            `seed ${summary.seed} breaks ${violation.message}\n  npm run simulate -- --seed ${summary.seed}`,
          );
      },
    );
  } finally {
    clearInterval(progress);
    process.off('SIGINT', stop);
  }
  const report = totals.report({ from, interrupted: isInterrupted });
  say(json ? JSON.stringify(report) : `${isInterrupted ? 'interrupted: ' : ''}${totals.line(last)}`);
  if (isInterrupted && !json) say(`go on with: npm run simulate -- --from ${totals.nextFrom(from)}`);
  return report.violations.length > 0 ? 1 : isInterrupted ? 130 : 0;
}

async function one(seed: number, { trace, only, json }: SimulateOptions): Promise<number> {
  const result = await runSeed(seed, {
    keeps: trace ? 'everything' : 'nothing',
    ...(only ? { change: (plan) => planWith(plan, only) } : {}),
  });
  if (trace && !json) for (const line of result.trace) say(line);
  const minimal = result.violation && !trace && !only ? await minimise(result) : undefined;
  if (json) {
    const parts = minimal ? { parts: minimal.parts, minimalTrace: minimal.result.trace } : {};
    say(JSON.stringify({ ...summaryOf(result), ...(trace ? { trace: result.trace } : {}), ...parts }));
    return result.violation ? 1 : 0;
  }
  say(wordsOf(result));
  if (minimal) {
    say(`\nThe least that breaks it, after ${minimal.runs} runs:\n`);
    for (const line of minimal.result.trace) say(line);
    say(
      `\nAgain, every call of it:\n  npm run simulate -- --seed ${seed} --trace --only '${minimal.parts.join(',')}'`,
    );
  }
  return result.violation ? 1 : 0;
}

function wordsOf({ seed, violation, hours, calls, entries, sent, faults, plan, digest }: SeedResult): string {
  const what = `${plan.mails.length} mails, ${plan.deeds.length} deeds, ${plan.mishaps.length} mishaps, ${plan.attacks.length} attacks, ${faults.length} faults`;
  const came = `${hours.toFixed(0)} hours, ${calls} calls, ${entries} entries, ${sent} mails sent`;
  return `seed ${seed}: ${what}; ${came}; trace ${digest.slice(0, 12)}\n${violation ? `breaks ${violation.message}` : 'all promises hold'}`;
}

// Whoever reads the output may have enough of it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SimulateUsageError)) throw error;
  process.stderr.write(`${error.message}; see --help\n`);
  process.exitCode = 2;
}
