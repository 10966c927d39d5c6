import { it } from 'vitest';
import { checkModel } from '#test/support/sync-model.ts';

/** The long run plays more of them: `model.long.test.ts`. */
const RUNS = 150;

it(
  'whatever two people do at two vaults, and wherever syncs are interrupted, both end in step and nothing is lost',
  { timeout: 120_000 },
  () => checkModel(RUNS),
);
