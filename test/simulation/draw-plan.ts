import { withCollections } from './draw-collections.ts';
import { withCuts } from './draw-cuts.ts';
import { withPartitions } from './draw-partitions.ts';
import { withRotations } from './draw-rotations.ts';
import type { Fault } from './kernel/fate.ts';
import { between, chance, drawsOf, pick, waitMs } from './kernel/draws.ts';
import type { Draw } from './kernel/draws.ts';
import { AMID, ATTACKS, DEEDS, MAIL_KINDS, MISHAPS } from './plan.ts';
import type { AttackKind, Deed, DeedKind, MailKind, MishapKind, Plan, PlannedMail } from './plan.ts';

const HOUR_MS = 3_600_000;
const FAULTS = ['refused', 'lost-reply', 'crash-before', 'crash-after', 'disk-full'] as const;
/** What of a seed's faults are so rare that all seeds may have them. */
const MAX_RATE: Readonly<Record<Fault, number>> = {
  refused: 0.05,
  'lost-reply': 0.05,
  'crash-before': 0.01,
  'crash-after': 0.01,
  'disk-full': 0.004,
};
/** Without these nothing would ever be approved. */
const EVERYDAY = [
  'approve',
  'approve',
  'approve by move',
  'approve by move',
  'write note',
  'edit note',
  'edit draft',
] as const;

/** What people do next who have just done something: to the same note, and soon. */
const FOLLOW_UPS: Readonly<Partial<Record<DeedKind, readonly [DeedKind, ...DeedKind[]]>>> = {
  approve: ['edit approved', 'edit approved', 'edit approved', 'approve', 'reject', 'drag', 'remove', 'copy'],
  'approve by move': [
    'edit approved',
    'edit approved',
    'edit approved',
    'approve',
    'drag',
    'remove',
    'reject',
  ],
  'approve again': ['approve again', 'reject', 'edit approved'],
  'edit draft': ['approve', 'approve by move', 'edit draft', 'approve twice'],
  claim: ['claim', 'release', 'transfer', 'edit note', 'drag'],
  transfer: ['claim', 'release', 'transfer'],
  release: ['claim', 'approve'],
  'edit note': ['edit note', 'move note', 'remove note'],
  'write note': ['edit note', 'write note', 'move note'],
};

/**
 * Draws the plan of a seed. Each seed has some kinds of faults, deeds and mishaps and not others (swarm testing), since
 * what always happens hides what follows when it does not.
 *
 * @see https://users.cs.utah.edu/~regehr/papers/swarm12.pdf
 */
export function drawPlan(seed: number): Plan {
  const draw = drawsOf(seed, 'plan');
  const lengthMs = between(draw, 6, 36) * HOUR_MS;
  const machines = chance(draw, 0.75) ? ['laptop', 'desktop'] : ['laptop'];
  const isHostile = chance(draw, 0.3);
  const isQuiet = chance(draw, 0.1);
  const faults = Object.fromEntries(
    FAULTS.map((fault) => [fault, isQuiet || chance(draw, 0.5) ? 0 : MAX_RATE[fault] * draw() ** 2]),
  );
  const mails = drawMails(drawsOf(seed, 'mails'), lengthMs);
  const deeds = drawDeeds(drawsOf(seed, 'deeds'), lengthMs, machines, mails);
  const drawn: Plan = {
    seed,
    lengthMs,
    machines,
    pollMs: pick(draw, [10 * 60_000, 30 * 60_000, 90 * 60_000]),
    faults,
    slow: chance(draw, 0.3) ? draw() * 0.05 : 0,
    duplicates: chance(draw, 0.5) ? draw() * 0.3 : 0,
    obedientModel: chance(draw, 0.3),
    lies: chance(draw, 0.15) ? draw() * 0.5 : 0,
    mails,
    deeds,
    mishaps: isQuiet ? [] : drawMishaps(drawsOf(seed, 'mishaps'), lengthMs, machines, deeds),
    attacks: isHostile ? drawAttacks(drawsOf(seed, 'attacks'), lengthMs, deeds) : [],
    collections: [],
    cuts: [],
    rotations: [],
  };
  return withRotations(withCuts(withPartitions(withCollections(drawn))));
}

function drawMails(draw: Draw, lengthMs: number): PlannedMail[] {
  const kinds = some<MailKind>(draw, MAIL_KINDS, ['question']);
  return times(draw, between(draw, 2, 10), lengthMs).map((atMs, index) => ({
    id: `mail-${index + 1}`,
    atMs,
    kind: chance(draw, 0.5) ? 'question' : pick(draw, kinds),
    echoesMs: chance(draw, 0.25)
      ? [waitMs(draw, 2_000), waitMs(draw, HOUR_MS)].slice(0, between(draw, 1, 2))
      : [],
    lateMs: chance(draw, 0.1) ? waitMs(draw, 60_000) : 0,
  }));
}

function drawDeeds(
  draw: Draw,
  lengthMs: number,
  machines: readonly string[],
  mails: readonly PlannedMail[],
): Deed[] {
  const kinds = some<DeedKind>(draw, DEEDS, EVERYDAY);
  const [first = '', ...others] = machines;
  const amid = (): Pick<Deed, 'amid'> => (chance(draw, 0.3) ? { amid: pick(draw, AMID) } : {});
  const deeds = times(draw, between(draw, 3, 25), lengthMs).flatMap((atMs, index) => {
    // Half of what people do they do when something has come.
    const mail = chance(draw, 0.5) ? mails[Math.floor(draw() * mails.length)] : undefined;
    const deed: Deed = {
      id: `deed-${index + 1}`,
      atMs: mail ? Math.round(mail.atMs + waitMs(draw, 5 * 60_000)) : atMs,
      ...amid(),
      machine: pick(draw, [first, ...others]),
      what: chance(draw, 0.5) ? pick<DeedKind>(draw, EVERYDAY) : pick(draw, kinds),
      n: between(draw, 0, 999),
      m: between(draw, 0, 999),
    };
    const next: Deed = {
      ...deed,
      id: `${deed.id}b`,
      atMs: Math.round(deed.atMs + waitMs(draw, 20_000)),
      ...amid(),
      machine: chance(draw, 0.6) ? deed.machine : pick(draw, [first, ...others]),
      what: pick(draw, FOLLOW_UPS[deed.what] ?? EVERYDAY),
      m: between(draw, 0, 999),
    };
    return chance(draw, 0.4) ? [deed, next] : [deed];
  });
  return deeds.sort((a, b) => a.atMs - b.atMs);
}

function drawMishaps(
  draw: Draw,
  lengthMs: number,
  machines: readonly string[],
  deeds: readonly Deed[],
): Plan['mishaps'] {
  if (chance(draw, 0.3)) return [];
  const kinds = some<MishapKind>(draw, MISHAPS, ['sleep']);
  const [first = '', ...others] = machines;
  return times(draw, between(draw, 1, 6), lengthMs).map((atMs, index) => {
    // Mostly amid what a person has just begun, and on the machine where that was.
    const deed = chance(draw, 0.6) ? deeds[Math.floor(draw() * deeds.length)] : undefined;
    return {
      id: `mishap-${index + 1}`,
      atMs: deed ? Math.round(deed.atMs + waitMs(draw, 20_000)) : atMs,
      ...(chance(draw, 0.4) ? { amid: pick(draw, AMID) } : {}),
      machine: deed?.machine ?? pick(draw, [first, ...others]),
      what: pick(draw, kinds),
      ms: pick(draw, [30_000, 10 * 60_000, HOUR_MS, 26 * HOUR_MS]) * (0.5 + draw()),
    };
  });
}

function drawAttacks(draw: Draw, lengthMs: number, deeds: readonly Deed[]): Plan['attacks'] {
  const kinds = some<AttackKind>(draw, ATTACKS, ['forged approval']);
  return times(draw, between(draw, 1, 10), lengthMs).map((atMs, index) => {
    // What a person has just begun is what is worth an attack.
    const deed = chance(draw, 0.7) ? deeds[Math.floor(draw() * deeds.length)] : undefined;
    return {
      id: `attack-${index + 1}`,
      atMs: deed ? Math.round(deed.atMs + waitMs(draw, 20_000)) : atMs,
      what: pick(draw, kinds),
      n: between(draw, 0, 999),
    };
  });
}

/** Moments in order, some of them close together. */
function times(draw: Draw, count: number, lengthMs: number): number[] {
  const moments: number[] = [];
  for (let i = 0; i < count; i++) {
    const last = moments.at(-1);
    moments.push(last !== undefined && chance(draw, 0.4) ? last + waitMs(draw, 5_000) : draw() * lengthMs);
  }
  return moments.map(Math.round).sort((a, b) => a - b);
}

/** Half of a list, and some that are there in any case. */
function some<T>(draw: Draw, list: readonly T[], always: readonly [T, ...T[]]): [T, ...T[]] {
  const [first, ...others] = always;
  return [first, ...others, ...list.filter((each) => !always.includes(each) && chance(draw, 0.5))];
}
