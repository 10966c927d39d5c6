import { between, chance, drawsOf, pick, waitMs } from './kernel/draws.ts';
import type { Draw } from './kernel/draws.ts';
import { AMID_ROTATING, KEY_ATTACKS } from './plan.ts';
import type { Attack, Mishap, Plan, PlannedRotation } from './plan.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Shorter than it is waited for rest: what a person has yet to carry over is no rest. */
const MAX_HAND_OVER_MS = 2 * HOUR_MS;

/**
 * Lets keys be renewed in a quarter of the plans, one to three times: while mails come in and drafts are written, right
 * after something that a person did, or at any time. Some are gone on with as one after a compromise; at some the machine
 * loses its power. Not where the ledger is put back: whoever has keys of an epoch that is gone there stops for good. All of it comes from draws of its own: the other plans stay what they are.
 */
export function withRotations(plan: Plan): Plan {
  const draw = drawsOf(plan.seed, 'rotations');
  if (plan.cuts.length > 0 || !chance(draw, 0.25)) return plan;
  const rotations = Array.from({ length: pick(draw, [1, 1, 2, 3]) }, (_, index) =>
    drawRotation(draw, `rotation-${index + 1}`, plan),
  );
  const isCalm = plan.mishaps.length === 0 && Object.values(plan.faults).every((rate) => rate === 0);
  return {
    ...plan,
    rotations,
    mishaps: isCalm ? [] : [...plan.mishaps, ...rotations.flatMap((each) => drawMishaps(draw, each))],
    attacks:
      plan.attacks.length === 0
        ? []
        : [...plan.attacks, ...rotations.flatMap((each) => drawAttacks(draw, each, plan))],
  };
}

function drawRotation(draw: Draw, id: string, { lengthMs, machines, mails, deeds }: Plan): PlannedRotation {
  // What was approved and has not run is what a compromise makes void.
  const approvals = deeds.filter(({ what }) => what.startsWith('approve'));
  const moments = pick<Plan['mails'] | Plan['deeds']>(draw, [mails, deeds, approvals]);
  const near = chance(draw, 0.7) ? moments[Math.floor(draw() * moments.length)] : undefined;
  const atMs = near ? near.atMs + waitMs(draw, pick(draw, [2_000, 30_000])) : draw() * lengthMs;
  const [first = '', ...others] = [...machines, 'triage-0', 'draft-0'];
  return {
    id,
    atMs: Math.round(Math.min(atMs, lengthMs - HOUR_MS / 2)),
    machine: pick(draw, [first, ...others]),
    ...(chance(draw, 0.4) ? { amid: pick(draw, AMID_ROTATING) } : {}),
    compromised: chance(draw, 0.5),
    grows: chance(draw, 0.3),
    handOverMs: Math.min(waitMs(draw, pick(draw, [MINUTE_MS, HOUR_MS])), MAX_HAND_OVER_MS),
  };
}

/** Power is cut amid what the rotation does, or a machine sleeps through it. */
function drawMishaps(draw: Draw, { id, atMs }: PlannedRotation): Mishap[] {
  const amid = pick(draw, AMID_ROTATING);
  const later = (meanMs: number): number => Math.round(atMs + waitMs(draw, meanMs));
  const dies = {
    id: `${id}-death`,
    atMs: later(500),
    machine: 'laptop',
    what: 'power cut',
    ms: 0,
    amid,
  } as const;
  const sleepMs = pick(draw, [10 * MINUTE_MS, 5 * HOUR_MS]);
  const machine = chance(draw, 0.5) ? 'laptop' : 'desktop';
  const sleeps = { id: `${id}-sleep`, atMs: later(1_000), machine, what: 'sleep', ms: sleepMs } as const;
  return pick(draw, [[], [dies], [dies], [sleeps], [dies, sleeps]]);
}

/** Soon after the new keys came into force, or while they come. */
function drawAttacks(draw: Draw, { id, atMs }: PlannedRotation, { lengthMs }: Plan): Attack[] {
  return Array.from({ length: between(draw, 0, 3) }, (_, index) => ({
    id: `${id}-attack-${index + 1}`,
    atMs: Math.round(Math.min(atMs + waitMs(draw, pick(draw, [1_000, HOUR_MS])), lengthMs)),
    what: pick(draw, KEY_ATTACKS),
    n: between(draw, 0, 999),
  }));
}
