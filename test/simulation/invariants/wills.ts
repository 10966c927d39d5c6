import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import { newEntries } from './witness.ts';
import type { WitnessView } from './witness.ts';

/**
 * Invariant 4, from the other side: every approval that counts is one that a person gave at that very machine, by the
 * command or by moving the very note; a copy, a backup or a sync that puts a note there is nobody's will.
 */
export function auditWills(world: World, witness: WitnessView): Auditor {
  const fresh = newEntries(witness);
  function look(): void {
    for (const seen of fresh()) {
      if (seen.body.kind !== 'approval' || !seen.accepted) continue;
      const { approval } = seen.body;
      const { writer, n, taskId = '' } = seen.entry;
      const will = `${writer} ${approval.method === 'move' ? 'moves' : 'approves'} ${taskId}`;
      requireThat(world.wills.has(will), '4', () => `entry ${n} is an approval that nobody gave (${will})`);
    }
  }
  return {
    step: ({ port, method }) => {
      if (port === 'ledger' && method === 'append') look();
    },
    atEnd: look,
  };
}
