import { mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

const config = mergeConfig(base, { test: { testTimeout: 600_000, hookTimeout: 120_000 } });
// Assigned, not merged: merging would add to the lists of the short run.
Object.assign(config.test, {
  env: {},
  // They measure times and kill processes: more at once would only be in each other's way.
  maxWorkers: 2,
  include: ['test/**/*.long.test.ts'],
  exclude: ['**/fixtures/**'],
});

export default config;
