import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const reporter = path.join(root, 'test/support/reporter.ts');

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reporter-'));
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
});

afterEach(() => rm(folder, { recursive: true }));

/** Runs vitest over the given test files as .ci/run does, and gives the lines it ends with. */
async function runVitest(files: Record<string, string>): Promise<{ lines: string[]; status: number }> {
  await writeFile(
    path.join(folder, 'vitest.config.mjs'),
    `export default { test: { reporters: ['default', ${JSON.stringify(reporter)}], passWithNoTests: true } };`,
  );
  for (const [name, code] of Object.entries(files)) {
    await writeFile(
      path.join(folder, name),
      `import { beforeAll, describe, expect, it } from 'vitest';\n${code}`,
    );
  }
  const args = [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (error, stdout) => {
      const lines = stdout.trimEnd().split('\n');
      resolve({ lines, status: error === null ? 0 : Number(error.code) });
    });
  });
}

describe('the last line of a test run', () => {
  it('counts tests over all files', async () => {
    const { lines, status } = await runVitest({
      'a.test.ts': "describe('x', () => { it('one', () => {}); it('two', () => {}); });",
      'b.test.ts': "it('three', () => {}); it('four', () => { expect(1).toBe(2); });",
    });
    expect(lines.at(-1)).toBe('3 passed, 1 failed');
    expect(status).toBe(1);
  });

  it('names skipped tests with their reasons', async () => {
    const { lines, status } = await runVitest({
      'a.test.ts': `it('runs', () => {});
        it('needs Java', (context) => { context.skip('no java here'); });
        it.skip('is silent', () => {});
        it.todo('comes later');`,
    });
    expect(lines.slice(-4)).toEqual([
      'skipped: a.test.ts > needs Java: no java here',
      'skipped: a.test.ts > is silent: no reason given',
      'skipped: a.test.ts > comes later: not written yet',
      '1 passed, 0 failed, 3 skipped',
    ]);
    expect(status).toBe(0);
  });

  it.each([
    ['a file that cannot be loaded', "throw new Error('at load');"],
    ['a hook that fails', "beforeAll(() => { throw new Error('x'); }); it('is never run', () => {});"],
    ['an error that nobody caught', "it('ends', () => { void Promise.reject(new Error('late')); });"],
  ])('counts %s as a failure', async (_name, code) => {
    const { lines, status } = await runVitest({ 'a.test.ts': code });
    expect(lines.at(-1)).toMatch(/^\d passed, 1 failed(, 1 skipped)?$/);
    expect(status).toBe(1);
  });

  it('is there when no test is', async () => {
    const { lines, status } = await runVitest({});
    expect(lines.at(-1)).toBe('0 passed, 0 failed');
    expect(status).toBe(0);
  });
});
