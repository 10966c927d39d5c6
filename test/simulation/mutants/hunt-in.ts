import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Catch } from './hunt.ts';
import type { Means } from './mutants.ts';

/** How a defect was found, if it was, or what ended the hunt. */
export interface Answer {
  readonly found?: Catch;
  readonly stopped?: string;
}

/** The tests that are run in the tree for what seeds do not look at. */
const TESTS = {
  models: 'test/simulation/models/',
  'power cuts': 'test/local-agent/files/power-cut.test.ts',
} as const;

/** Runs tests of the tree; the first that fails has found the defect. */
function testIn(dir: string, files: string): Promise<Answer> {
  const config = path.join(dir, 'test/simulation/mutants/vitest.config.ts');
  const vitest = path.join(dir, 'node_modules/vitest/vitest.mjs');
  const outputFile = path.join(dir, 'report.json');
  const options = ['--config', config, '--root', dir, '--reporter', 'json', '--outputFile', outputFile];
  const args = [...process.execArgv, vitest, 'run', ...options, files];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: dir, maxBuffer: 1 << 28 }, (_error, _stdout, stderr) => {
      const report = readReport(outputFile);
      if (!report) return resolve({ stopped: stderr.trim().slice(0, 400) });
      const all = report.testResults.flatMap(({ assertionResults }) => assertionResults);
      const failed = all.findIndex(({ status }) => status === 'failed');
      const { fullName = '', failureMessages = [] } = all[failed] ?? {};
      const message = (failureMessages[0] ?? '').split('\n')[0] ?? '';
      resolve(
        failed < 0
          ? {}
          : { found: { by: 'test', tries: failed + 1, where: fullName, invariant: '-', message } },
      );
    });
  });
}

interface TestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function readReport(file: string): TestReport | undefined {
  if (!existsSync(file)) return undefined;
  const report = JSON.parse(readFileSync(file, 'utf8')) as TestReport;
  rmSync(file);
  return report;
}

/** In a process of its own, whose code is the tree's. */
function seedsIn(dir: string, args: readonly string[]): Promise<Answer> {
  const script = path.join(dir, 'test/simulation/mutants/hunt.ts');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...process.execArgv, script, ...args],
      { cwd: dir },
      (error, stdout, stderr) => {
        if (stdout === '')
          return resolve({ stopped: stderr.trim().slice(0, 400) || (error?.message ?? 'it said nothing') });
        const found = JSON.parse(stdout) as Catch | null;
        resolve(found ? { found } : {});
      },
    );
  });
}

/** Looks for the defect of a tree. @param args seeds, and every which point of the sweep. */
export function huntIn(dir: string, by: Means, args: readonly string[]): Promise<Answer> {
  return by === 'seeds' ? seedsIn(dir, args) : testIn(dir, TESTS[by]);
}
