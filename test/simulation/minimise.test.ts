import { expect, it } from 'vitest';
import { InvariantError } from './invariants/auditor.ts';
import { minimise } from './minimise.ts';
import type { Plan } from './plan.ts';
import { QUIET, runPlan } from './run-seed.ts';
import type { RunOptions, SeedResult } from './run-seed.ts';

const MINUTE_MS = 60_000;

const PLAN: Plan = {
  ...QUIET,
  seed: 1,
  faults: { refused: 0.01, 'lost-reply': 0.01 },
  duplicates: 0.3,
  mails: [1, 2, 3, 4].map((n) => ({
    id: `mail-${n}`,
    atMs: n * 1000,
    kind: 'question',
    echoesMs: [500],
    lateMs: 0,
  })),
  deeds: (['write note', 'approve', 'edit note', 'approve', 'reject'] as const).map((what, index) => ({
    ...{ id: `deed-${index + 1}`, atMs: (20 + index) * MINUTE_MS, machine: 'laptop', what, n: 0, m: 1 },
  })),
  mishaps: [{ id: 'mishap-1', atMs: 15 * MINUTE_MS, machine: 'desktop', what: 'sleep', ms: MINUTE_MS }],
};

/** A promise that no product could keep: that no mail ever goes out. */
const planted: RunOptions = {
  prepare: ({ kernel }) =>
    kernel.watch({
      step: ({ port, error }) => {
        if (port === 'ses' && error === undefined) throw new InvariantError('planted', 'a mail went out');
      },
    }),
};

const run = (plan: Plan, options?: RunOptions): Promise<SeedResult> =>
  runPlan(plan, { ...options, ...planted });

it('a violation is reduced to what it needs: a mail, and a yes', async () => {
  const failed = await run(PLAN);
  expect(failed.violation?.invariant).toBe('planted');
  expect(failed.faults.length).toBeGreaterThan(5);
  const { parts, result, runs } = await minimise(failed, run);
  expect(parts).toHaveLength(2);
  expect(parts.join()).toMatch(/^mail-\d,deed-[24]$/);
  expect(runs).toBeLessThan(100);
  expect(result.trace.at(-1)).toContain('VIOLATED planted: a mail went out');
  expect(result.trace.length).toBeLessThan(60);
});
