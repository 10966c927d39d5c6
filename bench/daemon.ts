import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { FlowWorld } from '#test/support/flow-world.ts';

/** `employee run` as a process of its own. */
export interface Daemon {
  stop(): Promise<void>;
}

const KEPT_CHARS = 2000;

/**
 * Starts the daemon of a world and waits until its first pass is made.
 *
 * @throws when it ends before that, with the last it said.
 */
export async function startDaemon(world: FlowWorld): Promise<Daemon> {
  const { file, args, env } = world.command('run', '--port', '0', '--exit-with-parent');
  const child = spawn(file, args, { env });
  const ended = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-KEPT_CHARS);
  });
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => {
      throw new Error(`the daemon ended before it was ready:\n${said}`);
    }),
  ]);
  // A pipe that nobody empties would stop it.
  child.stdout.resume();
  return {
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
