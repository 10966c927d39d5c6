import { between, chance, drawsOf, pick, waitMs } from './kernel/draws.ts';
import type { Draw } from './kernel/draws.ts';
import { AMID_CLEARING } from './plan.ts';
import type { Collection, Deed, Mishap, Plan } from './plan.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Lets garbage be collected in a third of the plans of a day and longer. These last longer then, since only what has
 * lain around for a day is removed; and something is left lying: a note that is too long for an entry is written, the
 * machine falls asleep or dies between storing and naming it, and the note is edited or removed before that is tried
 * again. All of it comes from draws of its own: the other plans stay what they are.
 */
export function withCollections(plan: Plan): Plan {
  const draw = drawsOf(plan.seed, 'gc');
  if (plan.lengthMs < DAY_MS || !chance(draw, 1 / 3)) return plan;
  const lengthMs = plan.lengthMs + between(draw, 12, 36) * HOUR_MS;
  const scenes = Array.from({ length: between(draw, 1, 3) }, (_, index) =>
    drawScene(draw, `gc-${index + 1}`, lengthMs, plan),
  );
  return {
    ...plan,
    lengthMs,
    deeds: [...plan.deeds, ...scenes.flatMap(({ deeds }) => deeds)].sort((a, b) => a.atMs - b.atMs),
    mishaps: [...plan.mishaps.map(setBackLess), ...scenes.flatMap(({ mishaps }) => mishaps)],
    collections: scenes.map(({ collection }) => collection),
  };
}

/**
 * How long contents have waited for their entry is known by the two clocks of their machine. One that stands still while
 * it sleeps and one that is set back by half a day meanwhile know nothing together: that much is not asked of them.
 */
function setBackLess(mishap: Mishap): Mishap {
  const isBack = mishap.what === 'clock jump' && Math.round(mishap.ms) % 2 === 1;
  return isBack ? { ...mishap, ms: Math.min(Math.round(mishap.ms), HOUR_MS - 1) } : mishap;
}

/** A collection, and what it may meet. */
interface Scene {
  readonly collection: Collection;
  readonly deeds: readonly Deed[];
  readonly mishaps: readonly Mishap[];
}

function drawScene(draw: Draw, id: string, lengthMs: number, { machines, deeds }: Plan): Scene {
  const [first = '', ...others] = machines;
  const machine = pick(draw, [first, ...others]);
  const wroteMs = Math.round(draw() * (lengthMs - 25 * HOUR_MS));
  // A machine that dies amid the call does so when the contents are stored, and no entry names them.
  const stored = { atMs: wroteMs, machine, amid: 'blobs.put' } as const;
  const sleepMs = pick(draw, [HOUR_MS, 12 * HOUR_MS, 26 * HOUR_MS]) * (0.9 + 0.2 * draw());
  const dies: Mishap = { ...stored, id: `${id}-death`, what: 'power cut', ms: 0 };
  const what = pick<Mishap['what']>(draw, ['sleep', 'sleep with its clock']);
  const sleeps: Mishap = { ...stored, id: `${id}-sleep`, what, ms: sleepMs };
  const deed = (name: string, kind: Deed['what'], atMs: number): Deed => ({
    id: `${id}-${name}`,
    atMs: Math.round(atMs),
    machine: pick(draw, [first, ...others]),
    what: kind,
    n: between(draw, 0, 999),
    // Every fifth number makes a long note.
    m: 5 * between(draw, 0, 199),
  });
  const changed = deed('change', pick(draw, ['edit note', 'remove note']), wroteMs + waitMs(draw, HOUR_MS));
  const other = machines.find((name) => name !== machine) ?? machine;
  const by = chance(draw, 0.8) ? other : machine;
  // Before or when the machine wakes, after something that a person does, or at any time; mostly when the contents are old.
  const [due = wroteMs + DAY_MS, ...more] = deeds
    .map((each) => each.atMs)
    .filter((at) => at > wroteMs + DAY_MS);
  const atMs = pick(draw, [
    wroteMs + sleepMs * (1 - 0.1 * draw()),
    wroteMs + sleepMs + waitMs(draw, 20_000),
    pick(draw, [due, ...more]) + waitMs(draw, 20_000),
    wroteMs + DAY_MS + draw() * (lengthMs - DAY_MS - wroteMs),
  ]);
  // What is stored meanwhile is too young to go, and tells how late it is.
  const fresh = { ...deed('other', 'write note', atMs - waitMs(draw, 60_000)), machine: other };
  // An even number of milliseconds sets it forward.
  const jumps: Mishap = {
    ...{ id: `${id}-clock`, atMs: fresh.atMs - 60_000, machine: by, what: 'clock jump', ms: 30 * HOUR_MS },
  };
  return {
    collection: {
      id,
      atMs: Math.round(Math.min(atMs, lengthMs - HOUR_MS / 2)),
      machine: chance(draw, 0.5) ? machine : other,
      by,
      ...(chance(draw, 0.3) ? { amid: pick(draw, AMID_CLEARING) } : {}),
    },
    deeds: [
      { ...deed('note', 'write note', wroteMs), machine },
      ...(chance(draw, 0.6) ? [{ ...changed, machine, ...(chance(draw, 0.7) ? stored : {}) }] : []),
      ...(chance(draw, 0.8) ? [fresh] : []),
    ],
    mishaps: [
      ...pick(draw, [[], [dies], [dies], [sleeps], [sleeps], [dies, sleeps]]),
      ...(chance(draw, 0.2) ? [jumps] : []),
    ],
  };
}
