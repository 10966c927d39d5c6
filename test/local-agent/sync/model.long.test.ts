import { it } from 'vitest';
import { checkModel } from '#test/support/sync-model.ts';

const RUNS = 3000;

it('over thousands of plays, both vaults end in step and nothing is lost', { timeout: 1_800_000 }, () =>
  checkModel(RUNS),
);
