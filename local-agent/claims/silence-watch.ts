import type { SeenClaim } from '#protocol/claim.ts';
import type { Task } from '#protocol/task.ts';

/** On top of a lease: for a renewal that is on its way. */
const MARGIN_MS = 15_000;
/** What an item may ask for at most: whoever wrote it may not be honest. */
const MAX_LEASE_MS = 15 * 60_000;

interface Watched {
  readonly seen: SeenClaim;
  readonly sinceMs: number;
}

/**
 * Remembers claims as they were seen, and tells which gave no sign of life for a whole lease. Time is this
 * process's monotonic clock and nothing else: no clock of another machine, no time of day. A machine that
 * sleeps looks again when it wakes, and a holder that went on meanwhile has moved its heartbeat.
 */
export class SilenceWatch {
  readonly #watched = new Map<string, Watched>();

  /**
   * Takes note of an item.
   *
   * @param askedMs the monotonic clock before the item was read, `answeredMs` after.
   * @returns the claim, if it stood still for its lease and a margin.
   */
  look(item: Task, askedMs: number, answeredMs: number): SeenClaim | undefined {
    const { taskId, owner, epoch, heartbeat } = item;
    if (owner === undefined) {
      this.forget(taskId);
      return undefined;
    }
    const before = this.#watched.get(taskId);
    const isStill =
      before?.seen.owner === owner && before.seen.epoch === epoch && before.seen.heartbeat === heartbeat;
    if (!isStill) {
      this.#watched.set(taskId, { seen: { owner, epoch, heartbeat }, sinceMs: answeredMs });
      return undefined;
    }
    return askedMs - before.sinceMs >= silenceMs(item) ? before.seen : undefined;
  }

  forget(taskId: string): void {
    this.#watched.delete(taskId);
  }
}

/** For how long a claim has to stand still before it may be taken over. */
export function silenceMs({ leaseMs }: Pick<Task, 'leaseMs'>): number {
  return Math.min(leaseMs, MAX_LEASE_MS) + MARGIN_MS;
}
