import type { KillAt } from './sync-process.ts';

/** When to kill: after a time, or at a call. */
export type KillMoment = { readonly afterMs: number } | KillAt;

/**
 * Draws moments from what syncs have been like so far: a third of them spread over the time of a sync, a third over its
 * calls, and a third over the kinds of calls, since the rarest of them are those that matter most.
 */
export class KillMoments {
  readonly #random: () => number;
  readonly #kinds = new Set<string>();
  #usualMs = 300;
  #lastCalls = 10;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** A moment of a sync in ms. */
  get ms(): number {
    return this.#random() * this.#usualMs;
  }

  /** A sync has run to its end. */
  completed(ms: number, calls: readonly string[]): void {
    this.#usualMs = 0.7 * this.#usualMs + 0.3 * ms;
    this.#lastCalls = calls.length;
    for (const call of calls) this.#kinds.add(call);
  }

  draw(): KillMoment {
    const draw = this.#random();
    // Now and then too late: a sync that was done is not killed any more.
    if (draw < 1 / 3) return { afterMs: 1.1 * this.ms };
    if (draw < 2 / 3) return { nth: 1 + Math.floor(this.#random() * this.#lastCalls) };
    const kinds = [...this.#kinds];
    const name = kinds[Math.floor(this.#random() * kinds.length)];
    return { nth: 1 + Math.floor(this.#random() * 3), ...(name === undefined ? {} : { name }) };
  }
}
