import { mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

const config = mergeConfig(base, { test: { testTimeout: 600_000, hookTimeout: 120_000 } });
// Assigned, not merged: merging would add to the lists of the short run.
Object.assign(config.test, {
  env: {},
  include: ['test/**/*.long.test.ts'],
  exclude: ['**/fixtures/**'],
});

export default config;
