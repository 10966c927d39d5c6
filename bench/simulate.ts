import { availableParallelism } from 'node:os';
import { runMany } from '#test/simulation/run-many.ts';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import { median } from './measure.ts';

/** Seeds of one round: enough that quiet worlds and busy ones average out. */
const SEEDS = 40;

/** How much traffic the simulator lets happen: hours for which mails and deeds were planned, on all cores. */
export const simulate: Benchmark = {
  name: 'simulate',
  about: 'simulated hours of traffic a real minute, every promise checked after each step',
  async *run({ rounds }, log) {
    const perMinute: number[] = [];
    for (let round = 0; round < rounds; round++) {
      let seed = 1;
      let hours = 0;
      const startMs = performance.now();
      await runMany(
        () => (seed <= SEEDS ? seed++ : undefined),
        availableParallelism(),
        ({ trafficHours, violation }) => {
          if (violation) throw new Error(`a promise was broken: ${violation.message}`);
          hours += trafficHours;
        },
      );
      perMinute.push(hours / ((performance.now() - startMs) / 60_000));
      log(`round ${round + 1}: ${Math.round(hours)} hours, ${Math.round(perMinute.at(-1) ?? 0)} a minute`);
    }
    yield figureOf(
      'simulate/hours-per-minute',
      { value: median(perMinute) },
      { of: 'value', is: '>=', limit: 2_000 },
    );
  },
};
