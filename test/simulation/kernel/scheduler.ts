/** Something that is to happen. */
interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
  cancelled: boolean;
}

/**
 * The only clock and the only loop of a simulation. One event at a time; then everything that follows from it without
 * waiting is let happen, and only then the next one. Events of one moment keep the order in which they were planned.
 */
export class Scheduler {
  /** The true time since the beginning; no machine knows it. */
  nowMs = 0;
  /** Events that happened. */
  steps = 0;
  /** Latest first. */
  readonly #events: Event[] = [];
  #order = 0;

  /** Plans something. @returns what takes it back. */
  at(atMs: number, act: () => void): () => void {
    const event: Event = { atMs: Math.max(atMs, this.nowMs), order: ++this.#order, act, cancelled: false };
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.atMs ?? 0) > event.atMs) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
    return () => {
      event.cancelled = true;
    };
  }

  in(ms: number, act: () => void): () => void {
    return this.at(this.nowMs + ms, act);
  }

  /**
   * Lets happen what is planned until then.
   *
   * @param afterEach called when the world stands still after an event; answers `false` to stop.
   */
  async runUntil(untilMs: number, afterEach: () => boolean): Promise<void> {
    for (;;) {
      const next = this.#events.at(-1);
      if (!next || next.atMs > untilMs) break;
      this.#events.pop();
      if (next.cancelled) continue;
      this.nowMs = next.atMs;
      this.steps += 1;
      next.act();
      await standstill();
      if (!afterEach()) return;
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }
}

/** Every microtask that follows is over: nothing of a simulation runs on another thread. */
function standstill(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
