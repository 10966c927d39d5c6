import { runSeed } from './run-seed.ts';
import type { SeedResult } from './run-seed.ts';

/** What a run tells that many runs are told of: no trace, no plan. */
export type SeedSummary = Omit<SeedResult, 'plan' | 'trace' | 'faults'> & { readonly faultCount: number };

/** Leaves out what only the run of one seed is asked for. */
export function summaryOf({ plan: _plan, trace: _trace, faults, ...rest }: SeedResult): SeedSummary {
  return { ...rest, faultCount: faults.length };
}

/** One seed at a time, as the parent process asks for them. */
if (process.send) {
  process.on('message', (seed: number) => {
    void runSeed(seed)
      .then(summaryOf, (error: unknown) => failed(seed, error))
      .then((summary) => process.send?.(summary));
  });
}

/** A seed at which the simulation itself fails is told like a broken promise; the seeds after it are run. */
function failed(seed: number, error: unknown): SeedSummary {
  const message = `the simulation: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  const none = { steps: 0, calls: 0, entries: 0, sent: 0, hours: 0, trafficHours: 0, faultCount: 0 };
  return { seed, ...none, digest: '', violation: { invariant: 'simulation', message } };
}
