import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { SetupError } from './setup-error.mjs';

const STILL_MS = 10_000;
const SIGNALS = /** @type {const} */ ({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 });

// Only errors are printed: on a system Node older than 24 npm warns about `engines` once a package, which is
// true and does not matter, because the project runs on the Node that comes with it.
const ARGS = [
  'ci',
  '--loglevel=error',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  '--prefer-offline',
  // A person's own NODE_ENV=production or omit=dev would leave out what the tasks need.
  '--include=dev',
  '--include=optional',
];

/**
 * Runs `npm ci` in `root` and says what it does and how long it takes. npm's errors are passed on to stderr.
 *
 * @param {string} root
 * @param {(line: string) => void} say
 * @throws {SetupError} when npm cannot be started, fails, or is interrupted
 */
export async function npmCi(root, say) {
  const startedAt = performance.now();
  const seconds = () => `${Math.round((performance.now() - startedAt) / 1000)} s`;
  const why = existsSync(path.join(root, 'node_modules')) ? 'The dependencies changed' : 'First run';
  say(`${why}: installing ${packageCount(root)} packages with "npm ci". This takes about a minute, once.`);
  const still = setInterval(() => say(`  still installing (${seconds()})`), STILL_MS);
  try {
    const { code, output } = await runNpm(root);
    if (code !== 0) {
      for (const line of output) say(line);
      throw new SetupError(
        `"npm ci" failed after ${seconds()} with exit status ${code}; its own words are above. ` +
          'Usual reasons: no network, a registry that lacks a package (npm config get registry), a full disk. ' +
          'Nothing is half installed: run the same command again.',
      );
    }
  } finally {
    clearInterval(still);
  }
  say(`Installed in ${seconds()}.`);
}

/**
 * @param {string} root
 * @returns {Promise<{ code: number, output: string[] }>}
 */
function runNpm(root) {
  return new Promise((resolve, reject) => {
    const onWindows = process.platform === 'win32';
    const npm = spawn(onWindows ? 'npm.cmd' : 'npm', ARGS, {
      cwd: root,
      env: npmEnvironment(root),
      shell: onWindows,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    /** @type {string[]} */
    const output = [];
    for (const stream of [npm.stdout, npm.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        output.push(
          ...text.split('\n').filter((line) => line.trim() !== '' && !/^npm (warn|notice)/i.test(line)),
        );
      });
    }
    /** @type {keyof typeof SIGNALS | undefined} */
    let interruptedBy;
    const interrupt = (/** @type {NodeJS.Signals} */ signal) => {
      interruptedBy = /** @type {keyof typeof SIGNALS} */ (signal);
      npm.kill(signal);
    };
    const signals = /** @type {(keyof typeof SIGNALS)[]} */ (Object.keys(SIGNALS));
    for (const signal of signals) process.on(signal, interrupt);
    const done = () => {
      for (const signal of signals) process.removeListener(signal, interrupt);
    };
    npm.once('error', (error) => {
      done();
      reject(
        new SetupError(`npm could not be started (${error.message}). It comes with Node: is it on the PATH?`),
      );
    });
    npm.once('close', (code) => {
      done();
      if (interruptedBy === undefined) resolve({ code: code ?? 1, output });
      else
        reject(new SetupError('Installation interrupted; it starts anew next time.', SIGNALS[interruptedBy]));
    });
  });
}

/**
 * The environment without what an outer `npm run` put in: its paths lead into the folder that is being replaced,
 * and its project settings would be taken for the person's.
 *
 * @param {string} root
 */
function npmEnvironment(root) {
  const env = { ...process.env };
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const ours = path.join(root, 'node_modules') + path.sep;
  env[name] = (env[name] ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.startsWith(ours))
    .join(path.delimiter);
  for (const key of Object.keys(env)) {
    if (/^npm_(lifecycle|package|command|execpath|node_execpath|config_local_prefix)/.test(key))
      delete env[key];
  }
  return env;
}

/** @param {string} root */
function packageCount(root) {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  return (
    Object.values(packages).filter((entry) => entry.optional !== true && entry.inBundle !== true).length - 1
  );
}
