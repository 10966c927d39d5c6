import { describe, expect, it } from 'vitest';
import { SCENARIOS } from './scenarios.ts';
import { pointName, sweep } from './sweep.ts';

/** How much of the sweep a run takes. */
export interface SweepSuite {
  /** Every which point: a prime, so that each call meets another fault in each scenario. */
  readonly every: number;
  /** More points than so many have to be tried in each scenario. */
  readonly pointsAbove: number;
  /** For one scenario. @default that of the run */
  readonly timeoutMs?: number;
}

/** A test for each scenario. */
export function sweepSuite({ every, pointsAbove, timeoutMs }: SweepSuite): void {
  describe('28: a fault at any call of any port, and a second crash while it is recovered from', () => {
    it.each(SCENARIOS.map((scenario, index) => ({ ...scenario, index })))(
      '$name',
      { ...(timeoutMs !== undefined && { timeout: timeoutMs }) },
      async ({ index, ...scenario }) => {
        const { calls, points, violations } = await sweep(scenario, { every, from: 31 * index });
        expect(violations.map(({ point, message }) => `${pointName(point)}: ${message}`)).toEqual([]);
        expect(calls).toBeGreaterThan(200);
        expect(points).toBeGreaterThan(pointsAbove);
      },
    );
  });
}
