import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { InvokeMessage, WorkerMessage, WorkerSettings } from './function-protocol.ts';
import type { PlannedFunction } from './plan.ts';
import { TemplateUnsupported } from './template.ts';

/** An invocation that gave no answer: it threw, ran out of time or memory, or could not be loaded. */
export class InvocationFailed extends Error {
  static readonly code = 'INVOCATION_FAILED';

  constructor(functionName: string, reason: string) {
    super(`${functionName}: ${reason}`);
    this.name = 'InvocationFailed';
  }
}

/** A line that a function wrote, or one that the platform writes about it. */
export type FunctionLog = (functionName: string, line: string) => void;

/** @see LocalFunction */
export interface FunctionOptions {
  planned: PlannedFunction;
  /** Everything in the function's environment: the template's, its key, endpoints. */
  environment: Record<string, string>;
  log: FunctionLog;
}

/** How long a module may take to load, as with Lambda. */
const INIT_TIMEOUT_MS = 10_000;

interface Instance {
  worker: Worker;
  loaded: Promise<void>;
  /** Settles the invocation that runs now. */
  current?: { requestId: string; resolve: (result: unknown) => void; reject: (error: Error) => void };
}

/**
 * One Lambda function. Each instance is a worker thread that runs one invocation at a time and is used again
 * while it is sound; a new one starts when all are busy. The caller bounds how many run at once.
 *
 * The memory limit bounds the JavaScript heap of an instance; buffers outside it are not counted. A function
 * that grows past it is ended alone. One that asks for far more in a single allocation ends the whole process:
 * V8 cannot refuse a thread what it cannot give.
 */
export class LocalFunction {
  readonly planned: PlannedFunction;
  readonly #options: FunctionOptions;
  readonly #file: string;
  readonly #idle: Instance[] = [];
  readonly #all = new Set<Instance>();
  #running = 0;
  #closed = false;

  /** @throws TemplateUnsupported if the bundle has no such file */
  constructor(options: FunctionOptions) {
    this.#options = options;
    this.planned = options.planned;
    this.#file = handlerFile(options.planned);
  }

  /** Invocations that run now. */
  get running(): number {
    return this.#running;
  }

  /** Loads an instance ahead of the first event. Its failure shows at the invocation. */
  warm(): void {
    if (this.#all.size === 0 && !this.#closed) this.#idle.push(this.#start());
  }

  /** Runs the handler once. @returns its JSON answer @throws InvocationFailed */
  async invoke(event: unknown): Promise<unknown> {
    if (this.#closed) throw new InvocationFailed(this.planned.name, 'the local cloud is closing');
    this.#running += 1;
    try {
      const instance = this.#idle.pop() ?? this.#start();
      await instance.loaded;
      return await this.#run(instance, event);
    } finally {
      this.#running -= 1;
    }
  }

  /** Ends all instances, whatever they are doing. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map(({ worker }) => worker.terminate()));
  }

  async #run(instance: Instance, event: unknown): Promise<unknown> {
    const { name, timeoutSeconds } = this.planned;
    const requestId = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      const result = await new Promise<unknown>((resolve, reject) => {
        instance.current = { requestId, resolve, reject };
        timer = setTimeout(() => {
          // Whatever it holds is lost with it, as with Lambda: a wedged handler cannot be trusted with more.
          void instance.worker.terminate();
          reject(
            new InvocationFailed(name, `${requestId} Task timed out after ${timeoutSeconds}.00 seconds`),
          );
        }, timeoutSeconds * 1000);
        const message: InvokeMessage = { requestId, event, deadlineMs: Date.now() + timeoutSeconds * 1000 };
        instance.worker.postMessage(message);
      });
      this.#rest(instance);
      return result;
    } catch (error) {
      if (error instanceof HandlerThrew) this.#rest(instance);
      const failure = error instanceof Error ? error : new Error(String(error));
      this.#options.log(name, failure.message);
      throw failure instanceof InvocationFailed ? failure : new InvocationFailed(name, failure.message);
    } finally {
      clearTimeout(timer);
      delete instance.current;
    }
  }

  #rest(instance: Instance): void {
    if (!this.#closed && this.#all.has(instance)) this.#idle.push(instance);
  }

  #start(): Instance {
    const { planned, environment, log } = this.#options;
    const [, exportName = 'handler'] = splitHandler(planned.handler);
    const workerData: WorkerSettings = {
      file: this.#file,
      exportName,
      functionName: planned.name,
      functionArn: planned.arn,
      memoryMb: planned.memoryMb,
    };
    const worker = new Worker(new URL('./function-worker.ts', import.meta.url), {
      workerData,
      env: environment,
      // Flags of the parent (a test runner's loader, inspect) are none of the function's.
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: planned.memoryMb },
    });
    forwardLines(worker.stdout, (line) => log(planned.name, line));
    forwardLines(worker.stderr, (line) => log(planned.name, line));
    const instance: Instance = { worker, loaded: this.#loaded(worker) };
    // Handled where it is awaited; a warm instance that fails has nobody waiting.
    instance.loaded.catch(() => undefined);
    this.#all.add(instance);
    worker.on('message', (message: WorkerMessage) => settle(instance, message));
    worker.on('error', (error: Error) => this.#lose(instance, error.message));
    worker.on('exit', (code) => this.#lose(instance, `the runtime exited with ${code}`));
    return instance;
  }

  #loaded(worker: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        clearTimeout(timer);
        void worker.terminate();
        reject(new InvocationFailed(this.planned.name, reason));
      };
      const timer = setTimeout(() => fail('the module did not load in 10 seconds'), INIT_TIMEOUT_MS);
      worker.once('message', (message: WorkerMessage) => {
        if (message.kind === 'loaded') {
          clearTimeout(timer);
          resolve();
        } else {
          fail(message.kind === 'load-failed' ? message.error : 'the module did not load');
        }
      });
      worker.once('error', (error: Error) => fail(error.message));
      worker.once('exit', () => fail('the runtime exited while it loaded'));
    });
  }

  #lose(instance: Instance, reason: string): void {
    this.#all.delete(instance);
    const at = this.#idle.indexOf(instance);
    if (at >= 0) this.#idle.splice(at, 1);
    instance.current?.reject(new InvocationFailed(this.planned.name, reason));
  }
}

/** The handler threw; the instance itself is sound. */
class HandlerThrew extends Error {}

function settle(instance: Instance, message: WorkerMessage): void {
  if (message.kind !== 'returned' && message.kind !== 'threw') return;
  const current = instance.current;
  if (current?.requestId !== message.requestId) return;
  if (message.kind === 'returned') current.resolve(message.result);
  else current.reject(new HandlerThrew(message.error));
}

function handlerFile(planned: PlannedFunction): string {
  const [base = 'index'] = splitHandler(planned.handler);
  const files = ['.mjs', '.js', '.cjs'].map((extension) => join(planned.bundleDir, `${base}${extension}`));
  const file = files.find((candidate) => existsSync(candidate));
  if (file !== undefined) return file;
  throw new TemplateUnsupported(`${planned.name}: there is no ${base}.mjs in ${planned.bundleDir}.`);
}

function splitHandler(handler: string): [string, string] {
  const dot = handler.lastIndexOf('.');
  return [handler.slice(0, dot), handler.slice(dot + 1)];
}

function forwardLines(stream: Readable, log: (line: string) => void): void {
  createInterface({ input: stream }).on('line', log);
}
