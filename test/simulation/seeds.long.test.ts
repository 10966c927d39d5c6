import { expect, it } from 'vitest';
import { runSeed } from './run-seed.ts';

const SEEDS = 150;

it(`${SEEDS} simulated worlds keep every promise`, async () => {
  for (let seed = 100; seed < 100 + SEEDS; seed++) {
    const { violation } = await runSeed(seed);
    expect(violation, `npm run simulate -- --seed ${seed}`).toBeUndefined();
  }
});
