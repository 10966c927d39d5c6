import { chance, drawsOf, waitMs } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Host, running, SimProcess } from '../kernel/process.ts';
import { VISIBILITY_MS } from './sim-queue.ts';
import type { Received, SimQueue } from './sim-queue.ts';

/** What one instance of a function does with a batch. @returns the ids of the messages that come back. */
export type Invoke<Body> = (records: readonly Received<Body>[]) => Promise<ReadonlySet<string>>;

/** A function as Lambda runs it. */
export interface FunctionSettings<Body> {
  readonly name: string;
  readonly queue: SimQueue<Body>;
  /** Makes an instance: what it keeps is warm until it dies. */
  readonly make: (process: SimProcess) => Invoke<Body>;
  /** Instances at a time. */
  readonly concurrency: number;
  /** How often a message is handed out twice at a time, and how often a finished one comes again. */
  readonly duplicates: number;
  readonly seed: number;
}

const TIMEOUT_MS = 60_000;
const BATCH = 10;
/** How long an instance stays warm, and how long the poller takes. */
const MEAN_WARM_MS = 20 * 60_000;
const MEAN_POLL_MS = 200;

interface Slot<Body> {
  readonly index: number;
  instance?: { readonly process: SimProcess; readonly invoke: Invoke<Body>; readonly coldAtMs: number };
  isBusy: boolean;
}

/**
 * Lambda's poller and the instances of one function: batches of up to ten, partial-batch answers, cold and warm starts,
 * killed at the time limit or at any call; what was not finished comes back when the queue shows it again.
 */
export class FunctionFleet<Body> {
  readonly #kernel: Kernel;
  readonly #settings: FunctionSettings<Body>;
  readonly #slots: Slot<Body>[];
  #invocations = 0;
  #looks = 0;

  constructor(kernel: Kernel, settings: FunctionSettings<Body>) {
    this.#kernel = kernel;
    this.#settings = settings;
    this.#slots = Array.from({ length: settings.concurrency }, (_, index) => ({ index, isBusy: false }));
    settings.queue.onMessage = (atMs) => this.#look(atMs - kernel.scheduler.nowMs);
  }

  #look(inMs: number): void {
    const draw = drawsOf(this.#settings.seed, 'poll', this.#settings.name, ++this.#looks);
    this.#kernel.scheduler.in(Math.max(0, inMs) + waitMs(draw, MEAN_POLL_MS), () => this.#poll());
  }

  #poll(): void {
    const { seed, queue, duplicates } = this.#settings;
    const slot = this.#slots.find(({ isBusy }) => !isBusy);
    // The end of an invocation looks again.
    if (!slot) return;
    const round = this.#invocations + 1;
    const records = queue.receive(
      BATCH,
      (messageId) => drawsOf(seed, 'order', round, messageId)(),
      (messageId) => (chance(drawsOf(seed, 'twice', round, messageId), duplicates) ? 0 : VISIBILITY_MS),
    );
    if (records.length === 0) return;
    this.#invocations = round;
    this.#invoke(slot, records, round);
    this.#look(0);
  }

  #invoke(slot: Slot<Body>, records: readonly Received<Body>[], round: number): void {
    const { scheduler, trace } = this.#kernel;
    const { process, invoke } = this.#warm(slot, round);
    slot.isBusy = true;
    trace.note(
      scheduler.nowMs,
      process.name,
      `invoked with ${records.map(({ messageId }) => messageId).join(' ')}`,
    );
    const limit = scheduler.in(TIMEOUT_MS, () => this.#kernel.kill(process, 'its time is up'));
    const free = (): void => {
      limit();
      slot.isBusy = false;
      this.#look(0);
    };
    process.onEnd(() => {
      if (slot.instance?.process !== process) return;
      delete slot.instance;
      free();
    });
    const answered = (failed: ReadonlySet<string>): void => {
      if (process.isOver) return;
      for (const { messageId } of records) if (!failed.has(messageId)) this.#finish(messageId, round);
      free();
    };
    const everything = new Set(records.map(({ messageId }) => messageId));
    running
      .run(process, () => Promise.resolve().then(() => invoke(records)))
      .then(answered, () => answered(everything));
  }

  /** Deletes the message; once in a while the queue does not hear of it. */
  #finish(messageId: string, round: number): void {
    const { seed, queue, duplicates } = this.#settings;
    if (!chance(drawsOf(seed, 'again', round, messageId), duplicates)) queue.remove(messageId);
  }

  #warm(slot: Slot<Body>, round: number): NonNullable<Slot<Body>['instance']> {
    const { name, make, seed } = this.#settings;
    const { scheduler } = this.#kernel;
    if (slot.instance && slot.instance.coldAtMs > scheduler.nowMs) return slot.instance;
    const host = new Host(`${name}-${slot.index}`);
    const draw = drawsOf(seed, 'instance', name, round);
    host.skewMs = Math.round((draw() - 0.5) * 2_000);
    const process = new SimProcess(host.name, host);
    slot.instance = {
      process,
      invoke: make(process),
      coldAtMs: scheduler.nowMs + waitMs(draw, MEAN_WARM_MS),
    };
    return slot.instance;
  }
}
