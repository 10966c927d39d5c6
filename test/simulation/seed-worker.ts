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
    void runSeed(seed).then(
      (result) => process.send?.(summaryOf(result)),
      (error: unknown) => {
        throw error;
      },
    );
  });
}
