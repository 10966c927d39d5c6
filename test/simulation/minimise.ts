import type { Plan } from './plan.ts';
import { runPlan } from './run-seed.ts';
import type { SeedResult } from './run-seed.ts';

const MAX_RUNS = 400;

/** The least that still breaks the same promise. */
export interface Minimal {
  /** Names of the mails, deeds, mishaps, attacks, collections, cuts, rotations and faults that are left; `--only` takes them. */
  readonly parts: readonly string[];
  /** The run of these parts, with a trace of what changed something. */
  readonly result: SeedResult;
  readonly runs: number;
}

/**
 * Leaves out of a plan whatever the violation does not need: mails, deeds, mishaps, attacks, collections, cuts, rotations and
 * single faults of calls, in ever smaller pieces, until every part is needed (delta debugging). What is left out changes nothing of
 * the rest.
 *
 * @param failed a run with a violation.
 * @param run how plans are run.
 * @throws {RangeError} when it has none.
 * @see https://www.st.cs.uni-saarland.de/papers/tse2002/tse2002.pdf
 */
export async function minimise(failed: SeedResult, run: typeof runPlan = runPlan): Promise<Minimal> {
  const { plan, violation } = failed;
  if (!violation) throw new RangeError(`seed ${plan.seed} broke no promise`);
  let runs = 0;
  let parts = [...new Set([...partsOf(plan), ...failed.faults])];
  const breaks = async (kept: readonly string[]): Promise<boolean> => {
    runs += 1;
    const { violation: other } = await run(planWith(plan, kept));
    return other?.invariant === violation.invariant;
  };
  for (let size = Math.ceil(parts.length / 2); size >= 1 && runs < MAX_RUNS;) {
    let isSmaller = false;
    for (let at = 0; at < parts.length && runs < MAX_RUNS;) {
      const kept = [...parts.slice(0, at), ...parts.slice(at + size)];
      if (await breaks(kept)) [parts, isSmaller] = [kept, true];
      else at += size;
    }
    // What is left may need less than it did among the rest.
    if (size > 1) size = Math.ceil(size / 2);
    else if (!isSmaller) break;
  }
  return { parts, result: await run(planWith(plan, parts), { keeps: 'changes' }), runs };
}

/** A plan of these parts alone. */
export function planWith(plan: Plan, parts: readonly string[]): Plan {
  const kept = new Set(parts);
  const of = <T extends { readonly id: string }>(all: readonly T[]): T[] =>
    all.filter(({ id }) => kept.has(id));
  return {
    ...plan,
    mails: of(plan.mails),
    deeds: of(plan.deeds),
    mishaps: of(plan.mishaps),
    attacks: of(plan.attacks),
    collections: of(plan.collections),
    cuts: of(plan.cuts),
    rotations: of(plan.rotations),
    only: kept,
  };
}

function partsOf({ mails, deeds, mishaps, attacks, collections, cuts, rotations }: Plan): string[] {
  const all = [mails, deeds, mishaps, attacks, collections, cuts, rotations];
  return all.flatMap((parts: readonly { readonly id: string }[]) => parts.map(({ id }) => id));
}
