import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import { newEntries } from './witness.ts';
import type { WitnessView } from './witness.ts';

/**
 * Invariant 7 in the ledger: for each task and epoch at most one owner is ever accepted, no task's epoch falls, and what
 * a writer says of an epoch that has passed changes nothing.
 */
export function auditOwners(_world: World, witness: WitnessView): Auditor {
  const owners = new Map<string, string>();
  const fresh = newEntries(witness, () => owners.clear());

  function look(): void {
    for (const { entry, tasks } of fresh()) {
      for (const { taskId, before, after } of tasks) {
        if (!after) continue;
        requireThat(
          after.epoch >= (before?.epoch ?? 0),
          '7',
          () =>
            `the epoch of ${taskId} falls from ${before?.epoch ?? 0} to ${after.epoch} with entry ${entry.n}`,
        );
        if (after.owner !== undefined) {
          const place = `${taskId} in epoch ${after.epoch}`;
          const other = owners.get(place);
          requireThat(
            other === undefined || other === after.owner,
            '7',
            () => `${place} is owned by ${other ?? ''} and, with entry ${entry.n}, by ${after.owner ?? ''}`,
          );
          owners.set(place, after.owner);
        }
        const isLate = before !== undefined && entry.taskId === taskId && (entry.epoch ?? 0) < before.epoch;
        const isChanged = JSON.stringify(before) !== JSON.stringify(after);
        requireThat(
          !isLate || !isChanged,
          '7',
          () =>
            `entry ${entry.n} is of epoch ${entry.epoch ?? 0} and changes ${taskId}, which is at ${before?.epoch ?? 0}`,
        );
      }
    }
  }

  return {
    step: ({ port, method }) => {
      if (port === 'ledger' && method === 'append') look();
    },
    atEnd: look,
  };
}
