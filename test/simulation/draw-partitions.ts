import { between, chance, drawsOf, pick, waitMs } from './kernel/draws.ts';
import type { Draw } from './kernel/draws.ts';
import { AMID } from './plan.ts';
import type { Deed, DeedKind, Mishap, Plan, PlannedMail } from './plan.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What a person does at the machine that is cut off, and what at the other one meanwhile. */
const HERE: readonly [DeedKind, ...DeedKind[]] = ['claim', 'release', 'approve', 'edit note', 'transfer'];
const THERE: readonly [DeedKind, ...DeedKind[]] = ['take over', 'take over', 'claim', 'approve', 'release'];

/**
 * Cuts machines off the network in a third of the plans: no service is reached for minutes or hours, and answers that
 * are on their way are lost. Mostly about a mail that only a person can answer: somebody works on it, here or there, and
 * it is claimed without the cloud where nobody else could, or taken over by hand from the machine that is gone. All of
 * it comes from draws of its own: the other plans stay what they are.
 */
export function withPartitions(plan: Plan): Plan {
  const draw = drawsOf(plan.seed, 'partitions');
  if (!chance(draw, 1 / 3)) return plan;
  const scenes = Array.from({ length: between(draw, 1, 3) }, (_, index) =>
    drawScene(draw, `partition-${index + 1}`, plan),
  );
  return {
    ...plan,
    mails: [...plan.mails, ...scenes.flatMap(({ mails }) => mails)].sort((a, b) => a.atMs - b.atMs),
    deeds: [...plan.deeds, ...scenes.flatMap(({ deeds }) => deeds)].sort((a, b) => a.atMs - b.atMs),
    mishaps: [...plan.mishaps, ...scenes.map(({ cut }) => cut)],
  };
}

/** A machine that is cut off, and what people do about it. */
interface Scene {
  readonly mails: readonly PlannedMail[];
  readonly deeds: readonly Deed[];
  readonly cut: Mishap;
}

function drawScene(draw: Draw, id: string, { machines, lengthMs }: Plan): Scene {
  const [first = '', ...others] = machines;
  const machine = pick(draw, [first, ...others]);
  const other = machines.find((name) => name !== machine);
  const ms = pick(draw, [2 * MINUTE_MS, HOUR_MS / 2, 3 * HOUR_MS]) * (0.5 + draw());
  const cutMs = Math.round(HOUR_MS + draw() * Math.max(0, lengthMs - 3 * HOUR_MS));
  const deed = (at: string, what: DeedKind, atMs: number): Deed => ({
    ...{ id: `${id}-${what.replaceAll(' ', '-')}-${at}`, atMs: Math.round(atMs), machine: at, what },
    ...{ n: between(draw, 0, 999), m: between(draw, 0, 999) },
    ...(chance(draw, 0.15) ? { amid: pick(draw, AMID) } : {}),
  });
  // A task that this machine works on; or, where it is the only one, has put back and may claim without the cloud.
  const before: readonly DeedKind[] = chance(draw, 0.2) ? [] : other ? ['claim'] : ['claim', 'release'];
  const within = (): number => cutMs + draw() * Math.min(ms, HOUR_MS);
  const here = Array.from({ length: between(draw, 0, 2) }, () => deed(machine, pick(draw, HERE), within()));
  const there = Array.from({ length: between(draw, 0, 2) }, () =>
    deed(other ?? machine, pick(draw, THERE), within()),
  );
  const work = other
    ? { ...deed(other, 'take over', cutMs + draw() * ms), id: `${id}-work` }
    : { ...deed(machine, 'claim', within()), id: `${id}-work` };
  return {
    mails: [
      // Which no model answers.
      { id: `${id}-mail`, atMs: cutMs - HOUR_MS, kind: 'bounce', echoesMs: [], lateMs: 0 },
    ],
    deeds: [
      ...before.map((what, index) => ({
        ...deed(machine, what, cutMs - HOUR_MS + (index + 1) * waitMs(draw, 15 * MINUTE_MS)),
        // An even number puts it back.
        m: 2 * between(draw, 0, 499),
      })),
      ...(chance(draw, 0.8) ? [work] : []),
      ...unlike(here),
      ...unlike(there),
    ],
    cut: {
      ...{ id, atMs: cutMs, machine, what: 'cut off', ms },
      ...(chance(draw, 0.3) ? { amid: pick(draw, AMID) } : {}),
    },
  };
}

/** Each with a name of its own. */
function unlike(deeds: readonly Deed[]): Deed[] {
  return deeds.map((deed, index) => ({ ...deed, id: `${deed.id}-${index + 1}` }));
}
