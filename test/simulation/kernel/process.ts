import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '#protocol/ports.ts';
import type { Scheduler } from './scheduler.ts';

/** The process died in the middle of a call to its own disk. Every later call of it fails the same way. */
export class DeadProcessError extends Error {}

const EPOCH_MS = Date.parse('2026-11-21T08:00:00.000Z');

/** A computer: what its processes share. Its clocks say what they like. */
export class Host {
  readonly name: string;
  /** How far its wall clock is off. */
  skewMs = 0;
  /** Nothing runs here before. */
  asleepUntilMs = 0;
  /** No service can be reached from here before. */
  cutOffUntilMs = 0;
  /** Its disk takes no more. */
  diskFull = false;
  /** Time that its monotonic clock did not count. */
  uncountedMs = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Its clocks, as its processes see them. */
  clock(scheduler: Scheduler): Clock {
    return {
      now: () => new Date(EPOCH_MS + scheduler.nowMs + this.skewMs).toISOString(),
      monotonicMs: () => scheduler.nowMs - this.uncountedMs,
    };
  }
}

/** One run of a program on a host. Once killed, nothing of it happens any more: no reply reaches it. */
export class SimProcess {
  readonly name: string;
  readonly host: Host;
  /** Told once, when it is over: by its own end (with the error, if one ended it) or by its death. */
  readonly #onEnd: ((how: ProcessEnd) => void)[] = [];
  #end: ProcessEnd | undefined;

  constructor(name: string, host: Host) {
    this.name = name;
    this.host = host;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  onEnd(tell: (how: ProcessEnd) => void): void {
    this.#onEnd.push(tell);
  }

  end(how: ProcessEnd): void {
    if (this.#end) return;
    this.#end = how;
    for (const tell of this.#onEnd) tell(how);
  }
}

/** How a process ended. */
export interface ProcessEnd {
  readonly how: 'done' | 'failed' | 'killed';
  readonly error?: unknown;
}

/** The process whose code runs now, for timers, which know no port. */
export const running = new AsyncLocalStorage<SimProcess>();
