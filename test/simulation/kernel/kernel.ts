import { diskError } from '#local-agent/files/disk-error.ts';
import type { Clock } from '#protocol/ports.ts';
import { callName } from './call-name.ts';
import type { Call, FateOf, Fault, MadeCall, PortKind } from './fate.ts';
import { DeadProcessError, running, SimProcess } from './process.ts';
import type { Host } from './process.ts';
import { Scheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';

/** A call that took effect, or was refused. */
export interface Step extends Call {
  readonly result?: unknown;
  readonly error?: unknown;
  readonly fault?: Fault;
}

/** Sees what happens, and throws what ends the run. */
export interface Watcher {
  /** Right before a call takes effect. */
  begin?(call: Call): void;
  /** Right after it did, or was refused. */
  step?(step: Step): void;
}

/** Writes to the disk; the others only look. */
const DISK_WRITES = new Set(['write', 'move', 'remove', 'removeFolder']);

/**
 * Runs processes whose every call of a port is a step: the call waits until the scheduler lets it take effect, and the
 * caller until the scheduler lets it hear. Watchers see each step after its effect and before anything else happens;
 * what they throw ends the run.
 */
export class Kernel {
  readonly scheduler = new Scheduler();
  readonly trace: Trace;
  readonly #fateOf: FateOf;
  readonly #watchers: Watcher[] = [];
  readonly #counts = new Map<string, number>();
  #index = 0;
  #unique = 0;
  /** What a watcher threw. */
  failure: unknown;

  constructor(trace: Trace, fateOf: FateOf) {
    this.trace = trace;
    this.#fateOf = fateOf;
  }

  /** Calls made so far, by all. */
  get calls(): number {
    return this.#index;
  }

  /** A number that was not given before. */
  unique(): number {
    return ++this.#unique;
  }

  watch(watcher: Watcher): void {
    this.#watchers.push(watcher);
  }

  /** Starts a program. */
  start(name: string, host: Host, main: (process: SimProcess) => Promise<unknown>): SimProcess {
    const process = new SimProcess(name, host);
    const work = running.run(process, () => Promise.resolve().then(() => main(process)));
    work.then(
      () => process.end({ how: 'done' }),
      (error: unknown) => process.end({ how: 'failed', error }),
    );
    return process;
  }

  /** Ends a process as a power cut would. */
  kill(process: SimProcess, why: string): void {
    if (process.isOver) return;
    this.trace.note(this.scheduler.nowMs, process.name, `killed: ${why}`);
    process.end({ how: 'killed' });
  }

  /** A clock whose sleep is the scheduler's. */
  clock(process: SimProcess): Clock {
    return { ...process.host.clock(this.scheduler), sleep: (ms) => this.sleep(process, ms) };
  }

  sleep(process: SimProcess, ms: number): Promise<void> {
    return new Promise((resolve) => this.#deliver(process, ms, resolve));
  }

  /** The same port, each call of it a step of this process. */
  port<T extends object>(
    process: SimProcess,
    port: string,
    target: T,
    kind: Exclude<PortKind, 'database'> = 'service',
  ): T {
    return this.#wrap(target, (method, args, apply) =>
      this.#call({ process, kind, port, method, args }, apply),
    );
  }

  /**
   * The same for what answers at once, such as the machine's database: the process may die, or find its disk full, at
   * each of the named methods.
   */
  database<T extends object>(process: SimProcess, port: string, target: T, writes: ReadonlySet<string>): T {
    return this.#wrap(target, (method, args, apply) => {
      if (process.isOver) throw new DeadProcessError(`${process.name} is dead`);
      if (!writes.has(method)) return apply();
      const call = this.#next({ process, kind: 'database', port, method, args });
      const { fault } = this.#fateOf(call);
      if (fault === 'crash-before') this.#die(call, fault);
      if (fault === 'disk-full' || process.host.diskFull) {
        this.#tell({ ...call, fault: 'disk-full', error: new Error('database or disk is full') });
        throw new Error('database or disk is full');
      }
      const result = apply();
      this.#tell({ ...call, result });
      if (fault === 'crash-after') this.#die(call, fault);
      return result;
    });
  }

  #wrap<T extends object>(
    target: T,
    handle: (method: string, args: readonly unknown[], apply: () => unknown) => unknown,
  ): T {
    const methods = new Map<PropertyKey, unknown>();
    return new Proxy(target, {
      get: (object, member) => {
        const known = methods.get(member);
        if (known !== undefined) return known;
        const value: unknown = Reflect.get(object, member, object);
        if (typeof value !== 'function') return value;
        const wrapped = (...args: readonly unknown[]): unknown =>
          handle(String(member), args, () => Reflect.apply(value, object, args));
        methods.set(member, wrapped);
        return wrapped;
      },
    });
  }

  #next(call: MadeCall): Call {
    const name = callName(call);
    return { ...call, n: this.#count(call.process.name), name, nth: this.#count(name), index: ++this.#index };
  }

  #count(what: string): number {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return count;
  }

  #call(made: MadeCall, apply: () => unknown): Promise<unknown> {
    const { process } = made;
    return new Promise((resolve, reject) => {
      if (process.isOver) return;
      const call = this.#next(made);
      const { requestMs, replyMs, fault } = this.#fateOf(call);
      // Whether it happened or not: a caller that is cut off by then does not hear of it.
      const answer = (tell: () => void): void =>
        this.#deliver(process, replyMs, () => (this.#isCutOff(call) ? reject(lostReply(call)) : tell()));
      this.#deliver(process, requestMs, () => {
        if (fault === 'crash-before') return this.kill(process, `before ${call.port}.${call.method}`);
        const refusal = this.#refusal(call, fault);
        if (refusal) {
          this.#tell({ ...call, error: refusal, ...(fault ? { fault } : {}) });
          return answer(() => reject(refusal));
        }
        this.#show((watcher) => watcher.begin?.(call));
        // Only what the effect itself does at once and in microtasks: it is over before the next event.
        void Promise.resolve()
          .then(() => apply())
          .then(
            (result) => {
              this.#tell({ ...call, result, ...(fault ? { fault } : {}) });
              if (fault === 'crash-after') return this.kill(process, `after ${call.port}.${call.method}`);
              const lost = fault === 'lost-reply' ? lostReply(call) : undefined;
              answer(() => (lost ? reject(lost) : resolve(result)));
            },
            (error: unknown) => {
              this.#tell({ ...call, error });
              answer(() => reject(errorOf(error)));
            },
          );
      });
    });
  }

  /** Lets a process hear of something, unless it is over by then; later, if its host sleeps. */
  #deliver(process: SimProcess, ms: number, tell: () => void): void {
    this.scheduler.in(ms, () => {
      if (process.isOver) return;
      const restMs = process.host.asleepUntilMs - this.scheduler.nowMs;
      if (restMs > 0) this.#deliver(process, restMs, tell);
      else running.run(process, tell);
    });
  }

  #isCutOff({ kind, process }: Call): boolean {
    return kind === 'service' && process.host.cutOffUntilMs > this.scheduler.nowMs;
  }

  #refusal(call: Call, fault: Fault | undefined): Error | undefined {
    const { kind, process, method, args } = call;
    if (this.#isCutOff(call)) return unreachable(call);
    if (fault === 'refused') return throttled();
    const isFull = fault === 'disk-full' || process.host.diskFull;
    if (kind !== 'disk' || !isFull || !DISK_WRITES.has(method)) return undefined;
    const cause = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    return errorOf(diskError(String(args[0]), 'written', cause));
  }

  #die(call: Call, fault: 'crash-before' | 'crash-after'): never {
    this.kill(call.process, `${fault.slice(6)} ${call.port}.${call.method}`);
    throw new DeadProcessError(`${call.process.name} is dead`);
  }

  #tell(step: Step): void {
    this.trace.step(this.scheduler.nowMs, step);
    this.#show((watcher) => watcher.step?.(step));
  }

  #show(look: (watcher: Watcher) => void): void {
    try {
      for (const watcher of this.#watchers) look(watcher);
    } catch (error) {
      this.failure ??= error;
    }
  }
}

/** As the AWS SDK throws it when its own retries are used up. */
function throttled(): Error {
  return Object.assign(new Error('Rate exceeded'), {
    name: 'ThrottlingException',
    $metadata: { httpStatusCode: 400 },
  });
}

/** As Node throws it where there is no network. */
function unreachable({ port }: Call): Error {
  const hostname = `${port}.eu-central-1.amazonaws.com`;
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND', hostname });
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function lostReply({ port, method }: Call): Error {
  return Object.assign(new Error(`socket hang up (${port}.${method})`), { code: 'ECONNRESET' });
}
