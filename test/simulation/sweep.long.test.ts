import { describe, expect, it } from 'vitest';
import { SCENARIOS } from './sweep/scenarios.ts';
import { pointName, sweep } from './sweep/sweep.ts';

/** A prime, so that each call meets another fault in each scenario; the command takes all. */
const EVERY = 41;

describe('28: a fault at any call of any port, and a second crash while it is recovered from', () => {
  it.each(SCENARIOS.map((scenario, index) => ({ ...scenario, index })))(
    '$name',
    { timeout: 120_000 },
    async ({ index, ...scenario }) => {
      const { calls, points, violations } = await sweep(scenario, { every: EVERY, from: 31 * index });
      expect(violations.map(({ point, message }) => `${pointName(point)}: ${message}`)).toEqual([]);
      expect(calls).toBeGreaterThan(200);
      expect(points).toBeGreaterThan(20);
    },
  );
});
