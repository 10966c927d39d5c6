import type { Clock } from '#protocol/ports.ts';

/** A clock that moves only when told to. */
export interface FixedClock extends Clock {
  advance(ms: number): void;
}

/**
 * Makes a clock that stands still.
 *
 * @param start ISO-8601 UTC. @default '2026-11-21T08:00:00.000Z'
 */
export function createFixedClock(start = '2026-11-21T08:00:00.000Z'): FixedClock {
  let elapsedMs = 0;
  return {
    now: () => new Date(Date.parse(start) + elapsedMs).toISOString(),
    monotonicMs: () => elapsedMs,
    advance: (ms) => {
      elapsedMs += ms;
    },
  };
}
