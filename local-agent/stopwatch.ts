import type { Clock } from '#protocol/ports.ts';

/** How much time has passed, by the clock that says more: one of the two stands still while a machine sleeps. */
export function stopwatch(clock: Clock): () => number {
  const [monotonicMs, wallMs] = [clock.monotonicMs(), Date.parse(clock.now())];
  return () => Math.max(clock.monotonicMs() - monotonicMs, Math.abs(Date.parse(clock.now()) - wallMs));
}
