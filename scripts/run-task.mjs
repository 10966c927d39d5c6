import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './ensure-installed.mjs';
import { launch } from './launch.mjs';
import { SetupError } from './setup-error.mjs';
import { TASKS } from './tasks.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/**
 * Runs one task: installs what is missing, then hands over to the task's own process on the project's Node.
 * Everything this layer says goes to stderr; stdout belongs to the task.
 *
 * @param {string | undefined} name a key of `TASKS`
 * @param {string[]} args passed on to the task's first step that takes arguments
 * @returns {Promise<void>} `process.exitCode` is set: that of the task, 1 if the set-up failed, 2 for wrong usage
 */
export async function runTask(name, args) {
  const task = name === undefined ? undefined : TASKS.get(name);
  if (name === undefined || task === undefined) {
    say(name === undefined ? 'Which task?' : `There is no task "${name}".`);
    say(usage());
    process.exitCode = 2;
    return;
  }
  try {
    const node = await ensureInstalled(ROOT, say);
    const missing = task.steps.map((step) => step.file).find((file) => !existsSync(path.join(ROOT, file)));
    if (missing !== undefined)
      throw new SetupError(`"${name}" runs ${missing}, which is not in this checkout.`);
    process.exitCode = await launch({ root: ROOT, node, name, task, args });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = error.exitCode;
  }
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`);
}

function usage() {
  const width = Math.max(...[...TASKS.keys()].map((name) => name.length));
  const lines = [...TASKS].map(([name, task]) => `  ${name.padEnd(width)}  ${task.does}`);
  return ['Usage: node scripts/run.mjs TASK [ARGUMENTS]', ...lines].join('\n');
}
