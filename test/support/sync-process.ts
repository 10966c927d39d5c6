import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { OwnerMachine } from './owner-machines.ts';

const Message = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({
    synced: z.strictObject({ head: z.int(), pulled: z.int(), applied: z.int(), pushed: z.int() }),
  }),
  z.strictObject({ failed: z.string() }),
]);

/** How one sync ended. `phase` of a killed one: the port's call it was in, or `between calls`. */
export type SyncEnd =
  | {
      readonly end: 'synced';
      readonly head: number;
      readonly applied: number;
      readonly pushed: number;
      /** Calls of ports that it made, by name and in order. */
      readonly calls: readonly string[];
    }
  | { readonly end: 'failed'; readonly why: string }
  | { readonly end: 'killed'; readonly phase: string };

/** @see SyncProcess.sync */
export interface KillAt {
  readonly nth: number;
  readonly name?: string;
}

/** A process that syncs one machine when told to, and can be killed in the middle. */
export interface SyncProcess {
  /** The process that makes the next sync has started and waits. */
  ready(): Promise<void>;
  /** One sync. `killAt`: it is killed about when it makes its nth call of a port, or the nth one of that name. */
  sync(killAt?: KillAt): Promise<SyncEnd>;
  /** SIGKILL, now. The next sync is made by another process, which stands ready already. */
  kill(): void;
  close(): Promise<void>;
}

/** Starts one for a machine, and keeps another one ready to take its place. */
export function startSyncProcess({ configFile }: OwnerMachine): SyncProcess {
  const start = (): Started => startChild(configFile);
  let [current, next] = [start(), start()];
  return {
    ready: () => current.ready,
    async sync(killAt) {
      const end = await current.sync(killAt);
      if (end.end === 'killed') [current, next] = [next, start()];
      return end;
    },
    kill: () => current.child.kill('SIGKILL'),
    async close() {
      await Promise.all([current, next].map((started) => started.close()));
    },
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  sync(killAt?: KillAt): Promise<SyncEnd>;
  close(): Promise<void>;
}

function startChild(configFile: string): Started {
  const file = fileURLToPath(new URL('./sync-child.ts', import.meta.url));
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  const child = fork(file, [configFile], { execArgv, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const { stdout } = child;
  if (!stdout) throw new Error('its stdout is a pipe');
  // Not its own 'close', which does not come after a disconnect by this side.
  const ended = Promise.all([once(child, 'exit'), once(stdout, 'close')]);
  const ready = Promise.race([once(child, 'message'), ended]).then(() => undefined);
  let said = '';
  let killAt: KillAt | undefined;
  stdout.setEncoding('latin1').on('data', (text: string) => {
    said += text;
    if (!killAt) return;
    const { name, nth } = killAt;
    if (callsIn(said).filter((call) => name === undefined || call === name).length >= nth)
      child.kill('SIGKILL');
  });
  return {
    child,
    ready,
    async sync(at) {
      await ready;
      [said, killAt] = ['', at];
      const answered = once(child, 'message');
      child.send({});
      const [message] = (await Promise.race([answered, ended.then(() => [undefined])])) as unknown[];
      if (message === undefined) return { end: 'killed', phase: phaseIn(said) };
      const answer = Message.parse(message);
      if ('synced' in answer) return { end: 'synced', ...answer.synced, calls: callsIn(said) };
      if ('failed' in answer) return { end: 'failed', why: answer.failed };
      throw new Error('the process said that it is ready twice');
    },
    async close() {
      await ready;
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function callsIn(said: string): string[] {
  const lines = said.split('\n').filter((line) => line.startsWith('+'));
  return lines.map((line) => line.slice(1));
}

/** The last call that began, unless it had ended. */
function phaseIn(said: string): string {
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  return last.startsWith('+') ? last.slice(1) : 'between calls';
}
