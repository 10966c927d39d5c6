import { type Reporter, type TestCase, type TestModule } from 'vitest/node';

/**
 * Ends a test run with the tests that were skipped, each with its reason, and with one line for people and
 * programs: `N passed, N failed`, plus `, N skipped` if any, counted over tests. A file that cannot be loaded, a
 * failing hook outside of tests and an error that nobody caught count as one failure each, so that a run that
 * failed never says `0 failed`.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const skipped = inState('skipped');
    const failed =
      inState('failed').length + modules.flatMap(errorsOutsideTests).length + unhandledErrors.length;

    const lines = skipped.map((test) => `skipped: ${where(test)}: ${reason(test)}`);
    const counts = [`${inState('passed').length} passed`, `${failed} failed`];
    if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
    process.stdout.write(`\n${[...lines, counts.join(', ')].join('\n')}\n`);
  }
}

function errorsOutsideTests(module: TestModule): unknown[] {
  const suites = [...module.children.allSuites()];
  return [module, ...suites].flatMap((suite) => suite.errors());
}

function where(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function reason(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  return test.options.mode === 'todo' ? 'not written yet' : 'no reason given';
}
