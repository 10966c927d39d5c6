import { mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCheckout, type Checkout } from './bare-checkout.ts';

/** Loaded into the launcher: makes it believe that it runs on an older Node. */
const asNode = (version: string): Record<string, string> => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}});delete process.execve`,
  )}`,
});

const ECHO = 'console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }));';

const COUNTS_SIGNALS = `
let count = 0;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => { count += 1; console.error('got it'); });
}
process.stdin.on('data', () => { console.log(count); process.exit(7); });
console.error('up');
`;

let checkout: Checkout;

beforeEach(async () => {
  checkout = await makeCheckout({ 'local-cloud/demo.ts': ECHO, 'local-agent/cli.ts': ECHO });
});

afterEach(() => checkout.remove());

describe('a task on a fresh clone', () => {
  it('installs first, says so on stderr, and leaves stdout to the task', async () => {
    const { stdout, stderr, status } = await checkout.run(['scripts/run.mjs', 'demo', '--x', 'a b']);
    expect(JSON.parse(stdout)).toEqual({ args: ['--x', 'a b'], cwd: checkout.root });
    expect(stderr).toMatch(/^First run: installing 1 packages with "npm ci"\..*\nInstalled in \d+ s\.\n$/);
    expect(status).toBe(0);
  });

  it('installs once', async () => {
    await checkout.run(['scripts/run.mjs', 'demo']);
    const { stderr } = await checkout.run(['scripts/run.mjs', 'demo']);
    expect(stderr).toBe('');
    expect(await checkout.installations()).toBe(1);
  });

  it('installs again when the lockfile changed', async () => {
    await checkout.run(['scripts/run.mjs', 'demo']);
    const lockfile = path.join(checkout.root, 'package-lock.json');
    const changed = (await readFile(lockfile, 'utf8')).replaceAll('24.0.0', '24.0.1');
    await writeFile(lockfile, changed);
    const { stderr } = await checkout.run(['scripts/run.mjs', 'demo']);
    expect(stderr).toContain('The dependencies changed: installing');
    expect(await checkout.installations()).toBe(2);
  });

  it('takes what was installed by hand as it is', async () => {
    await checkout.installByHand();
    const { stderr, status } = await checkout.run(['scripts/run.mjs', 'demo']);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(await checkout.installations()).toBe(0);
  });

  it('installs over an incomplete installation', async () => {
    await checkout.installByHand();
    await rm(path.join(checkout.root, 'node_modules/node'), { recursive: true });
    await checkout.run(['scripts/run.mjs', 'demo']);
    expect(await checkout.installations()).toBe(1);
  });

  async function fourAtOnce(): Promise<void> {
    const slow = { FAKE_NPM: 'slow' };
    const runs = await Promise.all([1, 2, 3, 4].map(() => checkout.run(['scripts/run.mjs', 'demo'], slow)));
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(runs.filter(({ stderr }) => stderr.includes('First run'))).toHaveLength(1);
    expect(await checkout.installations()).toBe(1);
  }

  it('is installed by one of several commands that start at once', () => fourAtOnce());

  it('is installed by one of several that find the lock of a dead process', async () => {
    const dead = checkout.deadProcessLock();
    const past = new Date(Date.now() - 3_600_000);
    await writeFile(path.join(checkout.root, '.install.lock'), dead);
    await utimes(path.join(checkout.root, '.install.lock'), past, past);
    await fourAtOnce();
  });

  it('tells what npm said when it fails, without a stack, and tries again next time', async () => {
    const failed = await checkout.run(['scripts/run.mjs', 'demo'], { FAKE_NPM: 'fail' });
    expect(failed.status).toBe(1);
    expect(failed.stdout).toBe('');
    expect(failed.stderr).toContain('npm error code E404');
    expect(failed.stderr).toContain('"npm ci" failed');
    expect(failed.stderr).not.toMatch(/npm warn|^\s+at /m);
    expect((await checkout.run(['scripts/run.mjs', 'demo'])).status).toBe(0);
  });

  it('can be interrupted while it installs, and starts anew', async () => {
    const running = checkout.start(['scripts/run.mjs', 'demo'], { FAKE_NPM: 'hang' });
    await running.says(/npm ci/);
    await checkout.npmStarted();
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({
      status: 143,
      stderr: expect.stringContaining('interrupted') as string,
    });
    expect((await checkout.run(['scripts/run.mjs', 'demo'])).status).toBe(0);
  });
});

describe('the Node that a task runs on', () => {
  it('is the one that runs already, if it is new enough and install scripts are off', async () => {
    const { status, stderr } = await checkout.run(['scripts/run.mjs', 'demo'], {
      FAKE_NPM: 'ignore-scripts',
    });
    expect({ status, errors: stderr.includes('ignore-scripts') }).toEqual({ status: 0, errors: false });
  });

  it('is asked for when there is none that will do, without installing again', async () => {
    const env = { FAKE_NPM: 'ignore-scripts', ...asNode('20.1.0') };
    for (let time = 1; time <= 2; time += 1) {
      const { status, stderr } = await checkout.run(['scripts/run.mjs', 'demo'], env);
      expect(status).toBe(1);
      expect(stderr).toContain('npm rebuild node --ignore-scripts=false');
    }
    expect(await checkout.installations()).toBe(1);
  });

  it('is the carried one as soon as it was added by hand', async () => {
    await checkout.run(['scripts/run.mjs', 'demo'], { FAKE_NPM: 'ignore-scripts' });
    const bin = path.join(checkout.root, 'node_modules/node/bin');
    await mkdir(bin, { recursive: true });
    await symlink(process.execPath, path.join(bin, 'node'));
    expect((await checkout.run(['scripts/run.mjs', 'demo'], asNode('20.1.0'))).status).toBe(0);
    expect(await checkout.installations()).toBe(1);
  });

  it.each(['scripts/run.mjs', 'bin/employee.mjs'])('has to be 20 or newer for %s', async (file) => {
    const { status, stderr } = await checkout.run([file, 'demo'], asNode('18.20.0'));
    expect({ status, installations: await checkout.installations() }).toEqual({
      status: 1,
      installations: 0,
    });
    expect(stderr).toMatch(/needs Node 20 or newer/);
  });
});

describe('employee', () => {
  it('passes arguments on, keeps the folder it is called from, and writes nothing of its own to stdout', async () => {
    const folder = path.join(checkout.root, 'somewhere');
    await mkdir(folder);
    const { stdout, status } = await checkout.run(['../bin/employee.mjs', 'inbox', '--json'], {}, folder);
    expect(JSON.parse(stdout)).toEqual({ args: ['inbox', '--json'], cwd: folder });
    expect(status).toBe(0);
  });
});

describe('the launcher', () => {
  beforeEach(() => checkout.installByHand());

  it('lists the tasks when it is given none or an unknown one', async () => {
    for (const args of [[], ['nonsense']]) {
      const { status, stdout, stderr } = await checkout.run(['scripts/run.mjs', ...args]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain('Usage: node scripts/run.mjs TASK');
    }
  });

  it('says which file is missing', async () => {
    const { status, stderr } = await checkout.run(['scripts/run.mjs', 'bench']);
    expect(status).toBe(1);
    expect(stderr).toContain('"bench" runs bench/bench.ts, which is not in this checkout');
  });

  // On Node 22.15 and newer the task replaces the launcher; on older ones it is its child.
  describe.each([
    ['in the place of the launcher', {}],
    ['as a child of the launcher', asNode('20.1.0')],
  ])('with the task %s', (_name, env) => {
    it('ends with its exit status', async () => {
      await checkout.write('local-cloud/demo.ts', 'process.exitCode = 3;');
      expect((await checkout.run(['scripts/run.mjs', 'demo'], env)).status).toBe(3);
    });

    it('gives it its stdin', async () => {
      await checkout.write('local-cloud/demo.ts', 'process.stdin.pipe(process.stdout);');
      expect((await checkout.run(['scripts/run.mjs', 'demo'], env, checkout.root, 'hello')).stdout).toBe(
        'hello',
      );
    });

    it.each(['SIGINT', 'SIGTERM'] as const)('passes %s on', async (signal) => {
      await checkout.write('local-cloud/demo.ts', COUNTS_SIGNALS);
      const running = checkout.start(['scripts/run.mjs', 'demo'], env);
      await running.says(/up/);
      running.kill(signal);
      await running.says(/got it/);
      running.child.stdin.end('report');
      expect(await running.ended).toMatchObject({ status: 7, stdout: '1\n' });
    });

    it('ends as the shell says it when a signal ends the task', async () => {
      await checkout.write('local-cloud/demo.ts', "process.kill(process.pid, 'SIGKILL');");
      const { status, signal } = await checkout.run(['scripts/run.mjs', 'demo'], env);
      expect(status === 137 || signal === 'SIGKILL').toBe(true);
    });
  });

  it('passes a signal on once, because npm and the terminal repeat it', async () => {
    await checkout.write('local-cloud/demo.ts', COUNTS_SIGNALS);
    const running = checkout.start(['scripts/run.mjs', 'demo'], asNode('20.1.0'));
    await running.says(/up/);
    running.kill('SIGINT');
    await running.says(/got it/);
    running.kill('SIGINT');
    // Once the second kind has arrived, a repeated first one would have, too.
    running.kill('SIGTERM');
    await running.says(/got it\n[^]*got it/);
    running.child.stdin.end('report');
    expect(await running.ended).toMatchObject({ status: 7, stdout: '2\n' });
  });
});
