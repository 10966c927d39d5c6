import { defineConfig } from 'vitest/config';
import { tempFolder } from '#test/support/temp-folder.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.long.test.ts', '**/fixtures/**'],
    env: { TMPDIR: tempFolder() },
    setupFiles: ['test/support/property-seed.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Processes rather than threads: the tests start worker threads, open sqlite files and kill processes of their
    // own. Three at a time, also on two cores: much of the time they wait for processes and queues.
    pool: 'forks',
    maxWorkers: 3,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 10_000,
    restoreMocks: true,
    unstubEnvs: true,
    passWithNoTests: true,
    reporters: ['default', './test/support/reporter.ts'],
    coverage: {
      include: ['protocol/**', 'adapters/**', 'lambdas/**', 'infra/**', 'local-agent/**', 'local-cloud/**'],
    },
  },
});
