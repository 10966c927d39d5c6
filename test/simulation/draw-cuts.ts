import { between, chance, drawsOf, pick, waitMs } from './kernel/draws.ts';
import type { Draw } from './kernel/draws.ts';
import type { Cut, Mishap, Plan } from './plan.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Calls amid which it matters most what the table says. */
const AMID = ['ledger.read', 'ledger.append', 'tasks.claim', 'tools.call', 'ses.send'] as const;

/**
 * Puts the ledger's table back to an earlier state in about a fifth of all plans, once or twice; mostly whole again
 * after a while, and at times together with a copy or a vault. Not where somebody attacks or garbage is
 * collected: what an attacker wrote may be gone with the cut, and what the entries named that are gone is garbage to
 * whoever saw nothing of them. All of it comes from draws of its own: the other plans stay what they are.
 */
export function withCuts(plan: Plan): Plan {
  const draw = drawsOf(plan.seed, 'cuts');
  if (plan.attacks.length + plan.collections.length > 0 || !chance(draw, 0.3)) return plan;
  const cuts = Array.from({ length: chance(draw, 0.25) ? 2 : 1 }, (_, index) =>
    drawCut(draw, `cut-${index + 1}`, plan),
  ).sort((a, b) => a.atMs - b.atMs);
  const more = chance(draw, 0.4) ? cuts.map((cut) => drawRestored(draw, cut, plan)) : [];
  return { ...plan, cuts, mishaps: [...withoutItems(plan.mishaps), ...more] };
}

/**
 * Which epochs there were, and what was carried out, is known by the ledger, by the copy of the machine that did it and
 * by the tasks' items. Where the items come back with the ledger, a machine that saw nothing of its tail gives epochs a
 * second time to what a person approves anew; where all three do, the archive alone knows. Neither is part of this world.
 */
function withoutItems(mishaps: readonly Mishap[]): Mishap[] {
  return mishaps.filter(({ what }) => what !== 'items restored');
}

function drawCut(draw: Draw, id: string, { machines, deeds, lengthMs }: Plan): Cut {
  const [first = '', ...others] = machines;
  // Mostly amid what a person has just begun, and before the machine has done it.
  const begun = deeds.filter(({ what }) => what.startsWith('approve'));
  const deed = chance(draw, 0.7) ? begun[Math.floor(draw() * begun.length)] : undefined;
  const atMs = deed ? deed.atMs + waitMs(draw, pick(draw, [20_000, 10 * MINUTE_MS])) : draw() * lengthMs;
  const wholeAfterMs = pick(draw, [20_000, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS]) * (0.5 + draw());
  return {
    id,
    atMs: Math.round(Math.min(atMs, lengthMs - MINUTE_MS)),
    machine: deed?.machine ?? pick(draw, [first, ...others]),
    ...(chance(draw, 0.5) ? { amid: pick(draw, AMID) } : {}),
    entries: pick(draw, [1, 2, 3, between(draw, 1, 30)]),
    ...(chance(draw, 0.6) ? { wholeAfterMs: Math.round(wholeAfterMs) } : {}),
  };
}

/** What else is put back, shortly before or after. */
function drawRestored(draw: Draw, cut: Cut, { machines, lengthMs }: Plan): Mishap {
  const [first = '', ...others] = machines;
  return {
    id: `${cut.id}-restored`,
    atMs: Math.round(Math.min(Math.max(0, cut.atMs + (draw() - 0.3) * HOUR_MS), lengthMs - MINUTE_MS)),
    machine: pick(draw, [first, ...others]),
    what: pick<Mishap['what']>(draw, ['copy restored', 'vault restored']),
    ms: MINUTE_MS,
  };
}
