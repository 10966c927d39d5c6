import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { inFlight } from '#local-agent/in-flight.ts';
import { huntIn } from './hunt-in.ts';
import type { Answer } from './hunt-in.ts';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { createTree } from './tree.ts';

const HELP = `npm run simulate:mutants [-- OPTIONS]: plants known defects and shows how the simulator finds each

  --seeds N   seeds that each may take (default: 200)
  --every K   then every K-th point of the sweep (default: 25)
  --only TEXT mutants whose name holds this
  --json      one JSON document on stdout
  --help      this

Examples:
  npm run simulate:mutants
  npm run simulate:mutants -- --only epoch --seeds 50

The exit status is 0 if every defect was found, 1 if not, 2 for a wrong command line.
`;

/** A defect, and how it was found; or what ended the hunt. */
interface Row extends Answer {
  readonly name: string;
  readonly seconds: number;
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let asked;
  try {
    asked = readArguments(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)} (--help shows how)\n`);
    return 2;
  }
  if (asked.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { seeds, every, only, json } = asked;
  const rows = await huntAll(
    MUTANTS.filter(({ name }) => name.includes(only)),
    [String(seeds), String(every)],
    (row) => json || process.stdout.write(`${lineOf(row)}\n`),
  );
  const missed = rows.filter(({ found }) => !found);
  if (json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else
    process.stdout.write(
      `${rows.length} mutants, ${rows.length - missed.length} found, ${missed.length} not\n`,
    );
  return missed.length === 0 && rows.length > 0 ? 0 : 1;
}

async function huntAll(
  mutants: readonly Mutant[],
  args: readonly string[],
  told: (row: Row) => void,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const lanes = Math.min(availableParallelism(), mutants.length);
  const waiting = [...mutants];
  await inFlight(Array.from({ length: lanes }), lanes, async () => {
    const tree = await createTree();
    try {
      for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
        const heal = await tree.plant(mutant);
        const startedMs = performance.now();
        const { by = 'seeds' } = mutant;
        const answer = await huntIn(tree.dir, by, args);
        await heal();
        const row = {
          name: mutant.name,
          ...answer,
          seconds: Math.round((performance.now() - startedMs) / 1000),
        };
        rows.push(row);
        told(row);
      }
    } finally {
      await tree.dispose();
    }
  });
  return MUTANTS.flatMap(({ name }) => rows.filter((row) => row.name === name));
}

function lineOf({ name, found, stopped, seconds }: Row): string {
  const how = found
    ? `${found.by === 'sweep' ? `point ${found.tries}, ${found.where}` : found.where}: ${found.message.slice(0, 140)}`
    : `NOT FOUND${stopped === undefined ? '' : ` (${stopped})`}`;
  return `${name} (${seconds} s)\n    ${how}`;
}

function readArguments(argv: readonly string[]): {
  readonly help: boolean;
  readonly json: boolean;
  readonly only: string;
  readonly seeds: number;
  readonly every: number;
} {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string', default: '200' },
      every: { type: 'string', default: '25' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const number = (name: string, text: string): number => {
    if (!/^\d{1,6}$/.test(text)) throw new Error(`--${name} is "${text}"; it has to be a whole number`);
    return Number(text);
  };
  return {
    ...values,
    seeds: number('seeds', values.seeds),
    every: Math.max(1, number('every', values.every)),
  };
}
