import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';

export const HELP = `Runs simulated worlds and checks every promise of the design in each.

  npm run simulate -- [--seeds N] [--from S] [--minutes M] [--jobs J] [--json]
  npm run simulate -- --seed N [--trace] [--only PARTS] [--json]

  --seeds N     how many seeds, from --from on (default 100)
  --from S      the first seed (default 1)
  --minutes M   stop after that many minutes, whatever is left; without --seeds as many as there is time for
  --jobs J      processes (default: one a core)
  --seed N      one seed alone; where it breaks a promise, it is made as small as can be
  --trace       with --seed: every call of it, in order
  --only PARTS  with --seed: only these of its mails, deeds, mishaps, attacks and faults, separated by commas
  --json        one JSON document on stdout

Examples:
  npm run simulate -- --seeds 1000
  npm run simulate -- --minutes 10 --from 5000
  npm run simulate -- --seed 42 --trace

Exits with 1 if a promise was broken, with 2 for a wrong command line.`;

const count = (least: number) => z.coerce.number().int().min(least).max(Number.MAX_SAFE_INTEGER);

const Options = z.strictObject({
  seeds: count(1).optional(),
  from: count(0).default(1),
  minutes: z.coerce.number().positive().max(10_000).optional(),
  jobs: count(1).default(availableParallelism()),
  seed: count(0).optional(),
  trace: z.boolean().default(false),
  only: z
    .string()
    .transform((list) => list.split(',').map((part) => part.trim()))
    .optional(),
  json: z.boolean().default(false),
  help: z.boolean().default(false),
});
export type SimulateOptions = z.infer<typeof Options>;

/** The command line is wrong; the message says how. */
export class SimulateUsageError extends Error {
  static readonly code = 'USAGE';
}

/** @throws {SimulateUsageError} */
export function readOptions(args: readonly string[]): SimulateOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        ...{ seeds: text, from: text, minutes: text, jobs: text, seed: text, only: text },
        ...{ trace: flag, json: flag, help: flag },
      },
    }));
  } catch (error) {
    throw new SimulateUsageError((error as Error).message);
  }
  const parsed = Options.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SimulateUsageError(`--${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
  }
  const { seed, trace, only } = parsed.data;
  if (seed === undefined && (trace || only)) throw new SimulateUsageError('--trace and --only need --seed');
  return parsed.data;
}
