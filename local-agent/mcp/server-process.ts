import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  JSONRPCMessageSchema,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { EmployeeError } from '#protocol/errors.ts';
import { visibleLine } from '../visible.ts';
import { createLineReader } from './json-lines.ts';
import type { ServerSettings } from './server-settings.ts';

/** The server is not there (any more); nothing was written to it. */
export class ServerGoneError extends EmployeeError {
  static override readonly code = 'TOOL_SERVER_GONE';
}

/** How much a server may do besides answering. */
export interface ServerLimits {
  /** Bytes on stdout without an answer to one of our requests; above it the server is killed. */
  readonly floodBytes: number;
  /** Bytes of stderr that are passed on to the log between two calls; the rest is read and dropped. */
  readonly stderrBytes: number;
  /** From the request to end (its stdin closes) to SIGKILL. SIGTERM comes after a quarter of it. */
  readonly killAfterMs: number;
}

/**
 * A tool server as a child process, and the transport to it. It gets the environment it is given and no more,
 * in contrast to the SDK's own transport. Only answers to requests of ours are passed on, each once.
 */
export class ServerProcess implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #settings: ServerSettings;
  readonly #limits: ServerLimits;
  readonly #log: (line: string) => void;
  readonly #asked = new Set<JSONRPCRequest['id']>();
  #child: ChildProcessWithoutNullStreams | undefined;
  /** The process is gone; its last words may still be in the pipe. */
  #exit: string | undefined;
  #end: string | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #sinceAnswerBytes = 0;
  #stderrBytes = 0;

  constructor(settings: ServerSettings, limits: ServerLimits, log: (line: string) => void) {
    this.#settings = settings;
    this.#limits = limits;
    this.#log = log;
  }

  /** How it ended, fit for a person; `undefined` while it runs. */
  get end(): string | undefined {
    return this.#end ?? this.#exit;
  }

  /** @throws {ServerGoneError} when the program cannot be started. */
  async start(): Promise<void> {
    const { command, args, env, cwd } = this.#settings;
    const child = spawn(command, args, {
      env,
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      // A group of its own: what the server starts can be ended with it, and Ctrl-C in the terminal reaches
      // the agent alone, which then ends its servers in order.
      detached: process.platform !== 'win32',
    });
    this.#listen(child);
    try {
      await once(child, 'spawn');
    } catch (cause) {
      this.#end = `cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new ServerGoneError(this.#end, { cause });
    }
    this.#child = child;
    const drained = once(child, 'close').catch(() => undefined);
    this.#ended = once(child, 'exit').then(async ([code, signal]) => {
      this.#exit = `ended (${signal ? `signal ${String(signal)}` : `exit status ${String(code)}`})`;
      // What it started and left behind. Now, since later its number may be another program's.
      this.#signal('SIGKILL');
      this.#child = undefined;
      await settledWithin(drained, 200);
      this.#finish(this.#exit);
    });
  }

  /** Resolves when the bytes are handed over. Throws {@link ServerGoneError} if nothing was. */
  send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (!child || this.end !== undefined) {
      return Promise.reject(new ServerGoneError(this.end ?? 'not started'));
    }
    if ('method' in message && 'id' in message) this.#asked.add(message.id);
    return new Promise((resolve, reject) => {
      child.stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** A new call: its server may write to the log again. */
  resetLog(): void {
    this.#stderrBytes = 0;
  }

  /** Ends it, gently first. Resolves when it is gone. */
  async close(): Promise<void> {
    if (!this.#child) return;
    const { killAfterMs } = this.#limits;
    this.#child.stdin.end();
    if (!(await settledWithin(this.#ended, killAfterMs / 4))) {
      this.#signal('SIGTERM');
      if (!(await settledWithin(this.#ended, (killAfterMs * 3) / 4))) this.#signal('SIGKILL');
    }
    await this.#ended;
  }

  #listen(child: ChildProcessWithoutNullStreams): void {
    const fromStdout = createLineReader(this.#limits.floodBytes, (line) => this.#take(line));
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#end !== undefined) return;
      this.#sinceAnswerBytes += chunk.length;
      if (!fromStdout(chunk) || this.#sinceAnswerBytes > this.#limits.floodBytes) {
        this.#finish('was killed: it flooded its output without answering');
        this.#signal('SIGKILL');
      }
    });
    const fromStderr = createLineReader(this.#limits.stderrBytes, (line) =>
      this.#log(visibleLine(line, 500)),
    );
    child.stdout.once('end', () => {
      // As a rule the exit follows at once and says more.
      void settledWithin(this.#ended, 200).then(() => {
        if (this.#end !== undefined) return;
        this.#finish('closed its output');
        this.#signal('SIGKILL');
      });
    });
    child.stderr.on('data', (chunk: Buffer) => {
      const room = this.#limits.stderrBytes - this.#stderrBytes;
      if (room <= 0) return;
      this.#stderrBytes += chunk.length;
      if (fromStderr(chunk.subarray(0, room)) && chunk.length < room) return;
      this.#stderrBytes = this.#limits.stderrBytes;
      this.#log('(it writes too much; the rest is dropped)');
    });
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      stream.on('error', (error) => this.onerror?.(error));
    }
    child.on('error', (error) => this.onerror?.(error));
  }

  #take(line: string): void {
    if (this.#end !== undefined || line.trim() === '') return;
    const message = readMessage(line);
    if (!message) {
      this.#log(`(not a message on stdout) ${visibleLine(line, 100)}`);
    } else if ('method' in message) {
      this.onmessage?.(message);
    } else if (message.id !== undefined && this.#asked.delete(message.id)) {
      this.#sinceAnswerBytes = 0;
      this.onmessage?.(message);
    } else {
      this.#log('(an answer to no open question; ignored)');
    }
  }

  #finish(end: string): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.onclose?.();
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child?.kill(signal);
      else process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') this.#log(`(cannot be ended: ${String(error)})`);
    }
  }
}

function readMessage(line: string): JSONRPCMessage | undefined {
  try {
    return JSONRPCMessageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Whether the promise settles in time. The timer does not outlive it. */
async function settledWithin(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
