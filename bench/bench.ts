import { parseArgs } from 'node:util';
import { DEFAULT_OPTIONS, optionOf } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';
import type { Figure } from './figure.ts';
import { BENCHMARKS, selectBenchmarks, UnknownBenchmarkError } from './registry.ts';
import { jsonLine, table } from './report.ts';
import { runApart } from './run-apart.ts';

const LEAST: BenchmarkOptions = {
  rounds: 5,
  entries: 100,
  burst: 1,
  seconds: 1,
  notes: 100,
  manyNotes: 100,
};

const HELP = `npm run bench [-- NAME... OPTIONS]: benchmarks, each beside an anchor that is measured in the same run

${BENCHMARKS.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join('\n')}

  --json         one line of JSON a figure: name, value, anchor, ratio, budget, ok
  --rounds N     repetitions behind each median (default: ${DEFAULT_OPTIONS.rounds}; at least ${LEAST.rounds})
  --entries N    ledger entries of verify (default: ${DEFAULT_OPTIONS.entries})
  --burst N      mails of one burst of latency-mail (default: ${DEFAULT_OPTIONS.burst})
  --notes N      notes of sync-idle, sync-delta, sync-first, sync-one and watch (default: ${DEFAULT_OPTIONS.notes})
  --many-notes N notes of sync-idle's large vault (default: ${DEFAULT_OPTIONS.manyNotes})
  --seconds N    how long latency-mail sends ten mails a second (default: ${DEFAULT_OPTIONS.seconds})
  --help         this

A budget that is missed is printed as such and is no failure; the exit status is 1 only if something could not be
measured. Let nothing else run meanwhile: ratios survive a busy machine, absolute figures do not.
`;

/** The command line is wrong; the message says how. */
class WrongUsage extends Error {
  static readonly code = 'WRONG_USAGE';
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const { help, json, names, options } = readArguments(args);
    if (help) {
      process.stdout.write(HELP);
      return 0;
    }
    const figures: Figure[] = [];
    const benchmarks = selectBenchmarks(names);
    const isAlone = benchmarks.length === 1;
    for (const benchmark of benchmarks) {
      if (isAlone) process.stderr.write(`${benchmark.name} ...\n`);
      const measured = isAlone ? benchmark.run(options, progress) : runApart(benchmark.name, options);
      for await (const figure of measured) {
        figures.push(figure);
        if (json) process.stdout.write(`${jsonLine(figure)}\n`);
      }
    }
    if (!json) process.stdout.write(table(figures));
    return 0;
  } catch (error) {
    if (!(error instanceof WrongUsage) && !(error instanceof UnknownBenchmarkError)) throw error;
    process.stderr.write(`${error.message} (--help shows how)\n`);
    return 2;
  }
}

function progress(line: string): void {
  process.stderr.write(`  ${line}\n`);
}

function readArguments(args: readonly string[]): {
  readonly help: boolean;
  readonly json: boolean;
  readonly names: readonly string[];
  readonly options: BenchmarkOptions;
} {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        entries: { type: 'string' },
        burst: { type: 'string' },
        seconds: { type: 'string' },
        notes: { type: 'string' },
        'many-notes': { type: 'string' },
      },
    });
    const options = {
      rounds: numberOf('rounds', values.rounds),
      entries: numberOf('entries', values.entries),
      burst: numberOf('burst', values.burst),
      seconds: numberOf('seconds', values.seconds),
      notes: numberOf('notes', values.notes),
      manyNotes: numberOf('manyNotes', values['many-notes']),
    };
    return { help: values.help, json: values.json, names: positionals, options };
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(name: keyof BenchmarkOptions, given: string | undefined): number {
  if (given === undefined) return DEFAULT_OPTIONS[name];
  if (!/^\d{1,7}$/.test(given) || Number(given) < LEAST[name]) {
    throw new WrongUsage(
      `--${optionOf(name)} is "${given}"; it has to be a whole number of at least ${LEAST[name]}`,
    );
  }
  return Number(given);
}
