import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { watch } from 'node:fs';
import { access, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';

const repository = path.resolve(import.meta.dirname, '../..');

const LOCKFILE = { lockfileVersion: 3, packages: { '': {}, 'node_modules/node': { version: '24.0.0' } } };

/**
 * Stands in for npm: "installs" one package, Node, which is the Node that runs this test. FAKE_NPM makes it
 * slow, fail, hang, or leave out what an install script would have fetched.
 */
const FAKE_NPM = `
import { appendFileSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
appendFileSync('npm-calls.log', process.argv.slice(2).join(' ') + '\\n');
console.error('npm warn EBADENGINE Unsupported engine');
rmSync('node_modules', { recursive: true, force: true });
if (process.env.FAKE_NPM === 'fail') { console.error('npm error code E404'); process.exit(1); }
if (process.env.FAKE_NPM === 'hang') { setInterval(() => {}, 1000); }
else {
  if (process.env.FAKE_NPM === 'slow') await new Promise((resolve) => setTimeout(resolve, 500));
  mkdirSync('node_modules/node/bin', { recursive: true });
  if (process.env.FAKE_NPM !== 'ignore-scripts') symlinkSync(process.execPath, 'node_modules/node/bin/node');
  copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
  console.log('added 1 package in 300ms');
}
`;

/** How a process ended, with all that it wrote. */
export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A process of the launcher. `says` waits until stderr matches, and fails if it ends before that. */
export interface Running {
  child: ChildProcessWithoutNullStreams;
  ended: Promise<Ended>;
  says: (pattern: RegExp) => Promise<void>;
  kill: (signal: NodeJS.Signals) => void;
}

/** A folder with the launcher, a lockfile of one package, and a stand-in for npm first on the PATH. */
export interface Checkout {
  root: string;
  write: (file: string, text: string) => Promise<void>;
  start: (args: string[], env?: Record<string, string>, cwd?: string) => Running;
  run: (args: string[], env?: Record<string, string>, cwd?: string, input?: string) => Promise<Ended>;
  installations: () => Promise<number>;
  npmStarted: () => Promise<void>;
  installByHand: () => Promise<void>;
  deadProcessLock: () => string;
  remove: () => Promise<void>;
}

/** Makes a bare checkout in a temporary folder, with the given files beside the launcher. */
export async function makeCheckout(files: Record<string, string>): Promise<Checkout> {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'bare-checkout-')));
  const calls = path.join(root, 'npm-calls.log');

  async function write(file: string, text: string): Promise<void> {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }

  for (const folder of ['scripts', 'bin']) {
    await cp(path.join(repository, folder), path.join(root, folder), { recursive: true });
  }
  await write('package-lock.json', JSON.stringify(LOCKFILE));
  await write('package.json', JSON.stringify({ type: 'module' }));
  await write('tools/fake-npm.mjs', FAKE_NPM);
  await writeFile(
    path.join(root, 'tools/npm'),
    `#!/bin/sh\nNODE_OPTIONS= exec "${process.execPath}" "${root}/tools/fake-npm.mjs" "$@"\n`,
    { mode: 0o755 },
  );
  for (const [file, text] of Object.entries(files)) await write(file, text);

  function start(args: string[], env: Record<string, string> = {}, cwd = root): Running {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { PATH: [path.join(root, 'tools'), process.env['PATH']].join(path.delimiter), ...env },
    });
    return follow(child);
  }

  return {
    root,
    write,
    start,
    run: (args, env, cwd, input = '') => {
      const running = start(args, env, cwd);
      running.child.stdin.on('error', () => undefined).end(input);
      return running.ended;
    },
    installations: async () => (await readFile(calls, 'utf8').catch(() => '')).split('\n').length - 1,
    npmStarted: () => appears(calls),
    installByHand: async () => {
      await mkdir(path.join(root, 'node_modules/node/bin'), { recursive: true });
      await symlink(process.execPath, path.join(root, 'node_modules/node/bin/node'));
      await cp(path.join(root, 'package-lock.json'), path.join(root, 'node_modules/.package-lock.json'));
    },
    deadProcessLock: () => {
      const { pid } = spawnSync(process.execPath, ['--version']);
      return JSON.stringify({ pid, host: hostname() });
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

function follow(child: ChildProcessWithoutNullStreams): Running {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  return {
    child,
    ended,
    kill: (signal) => child.kill(signal),
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(stderr)) resolve();
        };
        child.stderr.on('data', look);
        child.once('close', () => reject(new Error(`ended without saying ${pattern}: ${stderr}`)));
        look();
      }),
  };
}

async function appears(file: string): Promise<void> {
  const abort = new AbortController();
  const changed = new Promise<void>((resolve) => {
    watch(path.dirname(file), { signal: abort.signal }, (_event, name) => {
      if (name === path.basename(file)) resolve();
    });
  });
  const already = await access(file).then(
    () => true,
    () => false,
  );
  if (!already) await changed;
  abort.abort();
}
