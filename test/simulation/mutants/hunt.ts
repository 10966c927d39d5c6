import { runSeed } from '../run-seed.ts';
import { SCENARIOS } from '../sweep/scenarios.ts';
import { pointName, sweep } from '../sweep/sweep.ts';

/** How a defect was found: by which means, after how many tries, and what it broke. */
export interface Catch {
  readonly by: 'seed' | 'sweep' | 'test';
  readonly tries: number;
  readonly where: string;
  readonly invariant: string;
  readonly message: string;
}

/** Looks for a violation in this tree: seeds from 1 on, then every so-many-th point of the sweep. */
export async function hunt(seeds: number, every: number): Promise<Catch | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violation } = await runSeed(seed);
    if (violation) return { by: 'seed', tries: seed, where: `seed ${seed}`, ...violation };
  }
  let tries = 0;
  for (const scenario of SCENARIOS) {
    const { points, violations } = await sweep(scenario, { every, from: tries, first: true }).catch(broken);
    tries += points;
    const [found] = violations;
    if (found) return { by: 'sweep', tries, where: `${scenario.name}: ${pointName(found.point)}`, ...found };
  }
  return undefined;
}

/** A scenario that breaks an invariant without any fault. */
function broken(error: unknown): Pick<Awaited<ReturnType<typeof sweep>>, 'points' | 'violations'> {
  const message = error instanceof Error ? error.message : String(error);
  const point = { actor: 'nobody', n: 0, call: 'none', fault: 'refused' } as const;
  return { points: 1, violations: [{ point, invariant: '?', message }] };
}

if (import.meta.main) {
  const [seeds = 100, every = 50] = process.argv.slice(2).map(Number);
  process.stdout.write(`${JSON.stringify((await hunt(seeds, every)) ?? null)}\n`);
}
