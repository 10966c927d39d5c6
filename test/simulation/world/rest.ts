import { chance, waitMs } from '../kernel/draws.ts';
import type { Draw } from '../kernel/draws.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Plan } from '../plan.ts';

const CALM_POLL_MS = 10 * 60_000;
/** For so long after something happened, passes follow each other quickly. */
const BUSY_MS = 90_000;
const BUSY_POLL_MS = 6_000;
/** A change in the vault wakes the daemon, mostly and after a moment. */
const WAKES = 0.7;
const MEAN_WAKE_MS = 2_000;

/**
 * How long a daemon rests between two passes: short where something is going on, so that much happens at the same time,
 * and long where nothing is, so that a simulated day costs little.
 */
export function restOf(plan: Plan, scheduler: Scheduler, isCalm: () => boolean): (draw: Draw) => number {
  const { mails, deeds, mishaps, attacks, collections, cuts, rotations } = plan;
  const moments = [mails, deeds, mishaps, attacks, collections, cuts, rotations]
    .flatMap((parts: readonly { readonly atMs: number }[]) => parts)
    .map(({ atMs }) => atMs)
    .sort((a, b) => a - b);
  return (draw) => {
    const { nowMs } = scheduler;
    if (isCalm()) return CALM_POLL_MS * (0.5 + draw());
    const isBusy = moments.some((atMs) => atMs <= nowMs && nowMs - atMs < BUSY_MS);
    // Nobody rests past the end of the plan: from there on it is waited for rest.
    const drawnMs = 1_000 + waitMs(draw, isBusy ? BUSY_POLL_MS : plan.pollMs);
    const restMs = Math.min(drawnMs, Math.max(0, plan.lengthMs - nowMs) + 1_000);
    const next = moments.find((atMs) => atMs > nowMs);
    const isWoken = next !== undefined && next < nowMs + restMs && chance(draw, WAKES);
    return isWoken ? next - nowMs + waitMs(draw, MEAN_WAKE_MS) : restMs;
  };
}
