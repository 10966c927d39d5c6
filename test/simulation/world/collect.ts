import { collectGarbage, MIN_GRACE_MS } from '#local-agent/collect-garbage.ts';
import type { Collection } from '../plan.ts';
import type { World } from './world.ts';

/** Lets a person clear up at a machine now, as early as `employee gc` allows. */
export function collect(world: World, collection: Collection): void {
  const { scheduler, trace } = world.kernel;
  world.machines
    .get(collection.by)
    ?.command('gc', (agent) => collectGarbage(agent, { graceMs: MIN_GRACE_MS, act: true }))
    .then(
      ({ objects, waiting, removed }) =>
        trace.note(
          scheduler.nowMs,
          collection.id,
          `of ${objects} objects ${removed} were removed, ${waiting} wait`,
        ),
      (error: unknown) => world.told(collection, error),
    );
}
