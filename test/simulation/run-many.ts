import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SeedSummary } from './seed-worker.ts';

/**
 * Runs seeds in processes of their own, since one process runs one world at a time.
 *
 * @param next the next seed, or `undefined` when there is none any more.
 * @throws when a process dies: then the simulator itself is broken, and the message names the seed.
 */
export async function runMany(
  next: () => number | undefined,
  jobs: number,
  done: (summary: SeedSummary) => void,
): Promise<void> {
  const children: ChildProcess[] = [];
  try {
    await Promise.all(Array.from({ length: jobs }, () => work(next, done, children)));
  } finally {
    for (const child of children) child.kill();
  }
}

function work(
  next: () => number | undefined,
  done: (summary: SeedSummary) => void,
  children: ChildProcess[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./seed-worker.ts', import.meta.url)), {
      execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'],
    });
    children.push(child);
    let seed = next();
    const ask = (): void => {
      if (seed === undefined) return resolve();
      child.send(seed);
    };
    child.on('message', (summary: SeedSummary) => {
      done(summary);
      seed = next();
      ask();
    });
    child.on('error', reject);
    child.on('exit', (status, signal) => {
      // Ctrl-C reaches the children as well.
      if (seed === undefined || child.killed || signal === 'SIGINT') resolve();
      else reject(new Error(`the process that ran seed ${seed} ended with ${signal ?? `status ${status}`}`));
    });
    ask();
  });
}
