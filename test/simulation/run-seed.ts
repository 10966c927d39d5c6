import { drawPlan } from './draw-plan.ts';
import { fatesOf } from './fates.ts';
import type { FateOf } from './kernel/fate.ts';
import type { Plan } from './plan.ts';
import { runWorld } from './run-world.ts';
import type { Verdict } from './run-world.ts';
import { readAhead } from './world/mails.ts';
import { createWorld } from './world/world.ts';
import type { World } from './world/world.ts';

export interface RunOptions {
  /** Which lines of the trace are kept. @default 'nothing' */
  readonly keeps?: 'nothing' | 'changes' | 'everything';
  /** Changes the seed's plan, such as by leaving things out. */
  readonly change?: (plan: Plan) => Plan;
  /** Decides about calls in the place of the plan's own fates. */
  readonly fateOf?: FateOf;
  /** Shown the world before anything happens in it. */
  readonly prepare?: (world: World) => void;
  /** Shown the world when all is over, before it is disposed of. */
  readonly inspect?: (world: World) => void | Promise<void>;
}

/** How a seed ended. */
export interface SeedResult extends Verdict {
  readonly seed: number;
  readonly plan: Plan;
  /** Events of the scheduler, calls of ports, entries of the ledger, mails sent. */
  readonly steps: number;
  readonly calls: number;
  readonly entries: number;
  readonly sent: number;
  /** Virtual hours, and how many of them had traffic planned. */
  readonly hours: number;
  readonly trafficHours: number;
  /** The names of all faults of calls that happened; `Plan.without` leaves them out. */
  readonly faults: readonly string[];
  /** SHA-256 over the whole trace: two runs of one seed have the same. */
  readonly digest: string;
  readonly trace: readonly string[];
}

/**
 * Runs the world of a seed: plans it, lets it happen, waits until it rests and checks every invariant. Depends on the
 * seed and the options alone. One at a time in a process.
 *
 * @throws only what is wrong with the simulator itself; what is wrong with the product is the result's `violation`.
 */
export function runSeed(seed: number, options: RunOptions = {}): Promise<SeedResult> {
  return runPlan(drawPlan(seed), options);
}

/**
 * The same for a plan of one's own: a short fixed scenario is a plan with a few mails and deeds, no rates, and a
 * `fateOf` that names the calls at which something happens.
 *
 * @example
 * const quiet = await runPlan({ ...QUIET, mails: [mailAt(0)], deeds: [deedAt(HOUR_MS, 'approve')] });
 * for (let at = 1; at <= quiet.calls; at++)
 *   await runPlan(plan, { fateOf: (call) => ({ ...CALM(call), ...(call.index === at ? { fault: 'crash-after' } : {}) }) });
 */
export async function runPlan(drawn: Plan, options: RunOptions = {}): Promise<SeedResult> {
  const plan = options.change?.(drawn) ?? drawn;
  await readAhead(plan.mails);
  const faults: string[] = [];
  const fateOf = options.fateOf ?? fatesOf(plan, (name) => faults.push(name));
  const world = createWorld(plan, { fateOf, ...(options.keeps ? { keeps: options.keeps } : {}) });
  try {
    options.prepare?.(world);
    const verdict = await runWorld(world);
    await options.inspect?.(world);
    const { kernel, cloud, mailServer } = world;
    const { scheduler, trace, calls } = kernel;
    if (verdict.violation) trace.note(scheduler.nowMs, 'VIOLATED', verdict.violation.message);
    return {
      ...verdict,
      seed: plan.seed,
      plan,
      steps: scheduler.steps,
      calls,
      entries: cloud.ledger.rows.length,
      sent: mailServer.sent.length,
      hours: scheduler.nowMs / 3_600_000,
      trafficHours: plan.lengthMs / 3_600_000,
      faults,
      digest: trace.digest(),
      trace: trace.lines,
    };
  } finally {
    world.dispose();
  }
}

/** A plan in which nothing happens: the ground on which fixed scenarios are built. */
export const QUIET: Plan = {
  seed: 0,
  lengthMs: 3_600_000,
  machines: ['laptop', 'desktop'],
  pollMs: 60_000,
  faults: {},
  slow: 0,
  duplicates: 0,
  obedientModel: false,
  lies: 0,
  mails: [],
  deeds: [],
  mishaps: [],
  attacks: [],
  collections: [],
  cuts: [],
  rotations: [],
};
