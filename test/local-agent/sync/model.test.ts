import fc from 'fast-check';
import { it } from 'vitest';
import { plays, SyncModel } from '#test/support/sync-model.ts';

it(
  'whatever two people do at two vaults, and wherever syncs are interrupted, both end in step and nothing is lost',
  { timeout: 1_200_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        plays,
        fc.constantFrom('laptop' as const, 'desktop' as const),
        async (steps, first) => {
          const model = await SyncModel.create();
          try {
            await model.play(steps);
            await model.settle(first);
          } finally {
            model.dispose();
          }
        },
      ),
      {
        numRuns: Number(process.env['MODEL_RUNS'] ?? 300),
        ...(process.env['MODEL_SEED'] ? { seed: Number(process.env['MODEL_SEED']) } : {}),
      },
    );
  },
);
