import { between, chance, drawsOf, pick, waitMs } from './kernel/draws.ts';
import type { Draw } from './kernel/draws.ts';
import { DONE } from './plan.ts';
import type { Cut, Mishap, Plan } from './plan.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Calls amid which it matters most what the table says. */
const AMID = ['ledger.read', 'ledger.append', 'tasks.claim', 'tools.call', 'ses.send'] as const;

/**
 * Puts the ledger's table back to an earlier state in about a fifth of all plans, once or twice; mostly whole again
 * after a while, and at times together with a copy, a vault or the items. Not where somebody attacks or garbage is
 * collected: what an attacker wrote may be gone with the cut, and what the entries named that are gone is garbage to
 * whoever saw nothing of them. All of it comes from draws of its own: the other plans stay what they are.
 */
export function withCuts(plan: Plan): Plan {
  const draw = drawsOf(plan.seed, 'cuts');
  if (plan.attacks.length + plan.collections.length > 0 || !chance(draw, 0.3)) return plan;
  const drawn = Array.from({ length: chance(draw, 0.25) ? 2 : 1 }, (_, index) =>
    drawCut(draw, `cut-${index + 1}`, plan),
  ).sort((a, b) => a.atMs - b.atMs);
  if (chance(draw, 0.3)) return withAllButTheArchive(draw, drawn, plan);
  const more = chance(draw, 0.4) ? drawn.map((cut) => drawRestored(draw, cut, plan)) : [];
  return { ...plan, cuts: drawn, mishaps: [...plan.mishaps, ...more] };
}

/** All that knows what was carried out is put back, but for the archive: mostly to right before it. */
function withAllButTheArchive(draw: Draw, drawn: readonly Cut[], plan: Plan): Plan {
  const cuts = drawn.map(({ amid: _amid, ...cut }): Cut =>
    chance(draw, 0.7) ? { ...cut, amid: DONE, entries: 2 } : cut,
  );
  const whats = ['copy restored', 'items restored'] as const;
  const more = cuts.flatMap((cut) =>
    whats.map((what) => ({
      ...restored(cut, plan, { what, laterMs: 0 }),
      ...(cut.amid ? { amid: cut.amid } : {}),
    })),
  );
  return { ...plan, cuts, mishaps: [...plan.mishaps, ...more] };
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
function drawRestored(draw: Draw, cut: Cut, plan: Plan): Mishap {
  const [first = '', ...others] = plan.machines;
  return restored(cut, plan, {
    laterMs: (draw() - 0.3) * HOUR_MS,
    machine: pick(draw, [first, ...others]),
    what: pick(draw, ['copy restored', 'vault restored', 'items restored'] as const),
  });
}

function restored(
  { id, atMs, machine }: Cut,
  { lengthMs }: Plan,
  { laterMs, ...more }: Pick<Mishap, 'what'> & { readonly laterMs: number; readonly machine?: string },
): Mishap {
  return {
    ...{ id: `${id}-${more.what.replace(' ', '-')}`, machine, ms: MINUTE_MS },
    atMs: Math.round(Math.min(Math.max(0, atMs + laterMs), lengthMs - MINUTE_MS)),
    ...more,
  };
}
