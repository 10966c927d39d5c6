/** For the tests that are run in a tree with a mutant: without anything that needs emulators or bundles. */
export default {
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/*.long.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    bail: 1,
    testTimeout: 120_000,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
};
