/**
 * One process of a task. `file` is relative to the repository; arguments of the command line go to the steps
 * with `takesArgs`.
 *
 * @typedef {{ file: string, args?: string[], takesArgs?: boolean }} Step
 */

/**
 * `fromCallersFolder`: paths on its command line mean the folder the person stands in, not the repository.
 *
 * @typedef {{ does: string, steps: Step[], fromCallersFolder?: boolean }} Task
 */

const ESLINT = 'node_modules/eslint/bin/eslint.js';
const PRETTIER = 'node_modules/prettier/bin/prettier.cjs';
const VITEST = 'node_modules/vitest/vitest.mjs';

/**
 * Every task by name, as in `npm run NAME`. Steps run in order; the first that fails ends the task.
 *
 * @type {ReadonlyMap<string, Task>}
 */
export const TASKS = new Map([
  ['setup', { does: 'install what the project needs, and nothing else', steps: [] }],
  ['start', script('the whole system on this machine, until Ctrl-C', 'local-cloud/start.ts')],
  ['demo', script('one mail from arrival to audit, unattended', 'local-cloud/demo.ts')],
  [
    'mail',
    {
      ...script('send a mail file to the running system', 'local-cloud/send-mail.ts'),
      fromCallersFolder: true,
    },
  ],
  ['employee', { ...script('the command line of the agent', 'local-agent/cli.ts'), fromCallersFolder: true }],
  ['test', tool('every test but the long ones', VITEST, ['run'])],
  ['test:long', tool('the long tests', VITEST, ['run', '--config', 'vitest.long.config.ts'])],
  [
    'lint',
    {
      does: 'ESLint and Prettier; arguments go to ESLint',
      steps: [
        { file: ESLINT, args: ['.', '--max-warnings', '0'], takesArgs: true },
        { file: PRETTIER, args: ['--check', '--log-level', 'warn', '.'] },
      ],
    },
  ],
  [
    'format',
    {
      does: 'let ESLint and Prettier mend what they can',
      steps: [
        { file: PRETTIER, args: ['--write', '--log-level', 'warn', '.'] },
        { file: ESLINT, args: ['.', '--fix'] },
      ],
    },
  ],
  ['typecheck', tool('TypeScript, without output', 'node_modules/typescript/bin/tsc', ['--noEmit'])],
  ['build', script('bundle the functions', 'infra/build.ts')],
  ['synth', tool('synthesize the CDK app, offline', 'node_modules/aws-cdk/bin/cdk', ['synth', '--quiet'])],
  ['cost', script('what a deployment costs, idle and by the mail', 'bench/cost/cost.ts')],
  ['bench', script('benchmarks, side by side with their anchors', 'bench/bench.ts')],
  ['simulate', script('simulated worlds, each promise checked in each', 'test/simulation/simulate.ts')],
  [
    'simulate:sweep',
    script('short scenarios in which every call fails in turn', 'test/simulation/sweep/main.ts'),
  ],
  [
    'simulate:mutants',
    script('known defects, and how the simulator finds each', 'test/simulation/mutants/main.ts'),
  ],
]);

/**
 * @param {string} does
 * @param {string} file
 * @returns {Task}
 */
function script(does, file) {
  return { does, steps: [{ file, takesArgs: true }] };
}

/**
 * @param {string} does
 * @param {string} file
 * @param {string[]} args
 * @returns {Task}
 */
function tool(does, file, args) {
  return { does, steps: [{ file, args, takesArgs: true }] };
}
