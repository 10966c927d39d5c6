import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';

/** @typedef {import('./tasks.mjs').Task} Task */
/** @typedef {import('./tasks.mjs').Step} Step */

const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs the steps of a task on the given Node with the terminal's own streams.
 *
 * @param {{ root: string, node: string, name: string, task: Task, args: string[] }} run
 * @returns {Promise<number>} exit status of the first step that failed, otherwise 0; 128 + n after signal n
 */
export async function launch({ root, node, name, task, args }) {
  const cwd = task.fromCallersFolder === true ? callersFolder(root, name) : root;
  const env = environment(root, node);
  for (const [index, step] of task.steps.entries()) {
    const command = [
      '--disable-warning=ExperimentalWarning',
      path.join(root, step.file),
      ...(step.args ?? []),
      ...(step.takesArgs === true ? args : []),
    ];
    // Nothing is left to do here after the last step: the task takes this process's place, and with it its id,
    // its signals and its exit status.
    if (index === task.steps.length - 1) become(node, command, cwd, env);
    const status = await spawnStep(node, command, cwd, env);
    if (status !== 0) return status;
  }
  return 0;
}

/**
 * npm starts scripts in the repository whatever folder the person called it from, and names that folder.
 *
 * @param {string} root
 * @param {string} name
 */
function callersFolder(root, name) {
  const { INIT_CWD, npm_lifecycle_event: npmScript } = process.env;
  return npmScript === name && process.cwd() === root && INIT_CWD !== undefined ? INIT_CWD : process.cwd();
}

/**
 * Whatever a task starts by the name `node` is the same Node.
 *
 * @param {string} root
 * @param {string} node
 */
function environment(root, node) {
  const env = { ...process.env };
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const first = [path.dirname(node), path.join(root, 'node_modules', '.bin')];
  env[name] = [...first, env[name] ?? ''].join(path.delimiter);
  return env;
}

/**
 * Replaces this process where Node can (22.15 and newer, not on Windows); returns where it cannot.
 *
 * @param {string} node
 * @param {string[]} command
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 */
function become(node, command, cwd, env) {
  if (typeof process.execve !== 'function' || process.platform === 'win32') return;
  process.chdir(cwd);
  process.execve(node, [node, ...command], env);
}

/**
 * @param {string} node
 * @param {string[]} command
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>}
 */
function spawnStep(node, command, cwd, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, command, { cwd, env, stdio: 'inherit' });
    /** @type {Set<NodeJS.Signals>} */
    const passedOn = new Set();
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      // Ctrl-C reaches the whole foreground group, so the child has it already, and `npm run` repeats signals.
      // A second one would mean "at once, never mind the tidying up" to many programs.
      const terminalSentIt = signal === 'SIGINT' && process.stdin.isTTY;
      if (terminalSentIt || passedOn.has(signal)) return;
      passedOn.add(signal);
      child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const done = () => {
      for (const signal of FORWARDED) process.removeListener(signal, forward);
    };
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      done();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
