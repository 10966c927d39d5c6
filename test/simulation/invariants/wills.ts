import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import { newEntries } from './witness.ts';
import type { WitnessedEntry, WitnessView } from './witness.ts';

/**
 * Invariant 4, from the other side: every approval that counts is one that a person gave at that very machine, by the
 * command or by moving the very note; a copy, a backup or a sync that puts a note there is nobody's will. Where ledger
 * and copy came back from before an approval, the note that still stands in `Approved/` is that will, byte for byte.
 */
export function auditWills(world: World, witness: WitnessView): Auditor {
  const fresh = newEntries(witness);
  function look(): void {
    for (const seen of fresh()) {
      const will = willOf(seen);
      if (will === undefined) continue;
      requireThat(
        world.wills.has(will) || wasGiven(seen),
        '4',
        () => `entry ${seen.entry.n} is an approval that nobody gave (${will})`,
      );
    }
  }
  /** By an approval of the same bytes that the table lost. */
  function wasGiven(seen: WitnessedEntry): boolean {
    const digests = digestsOf(seen);
    return witness
      .ever()
      .some((other) => digestsOf(other) === digests && world.wills.has(willOf(other) ?? ''));
  }
  return {
    step: ({ port, method }) => {
      if (port === 'ledger' && method === 'append') look();
    },
    atEnd: look,
  };
}

function willOf({ entry, body, accepted }: WitnessedEntry): string | undefined {
  if (body.kind !== 'approval' || !accepted) return undefined;
  return `${entry.writer} ${body.approval.method === 'move' ? 'moves' : 'approves'} ${entry.taskId ?? ''}`;
}

function digestsOf({ entry, body }: WitnessedEntry): string | undefined {
  if (body.kind !== 'approval') return undefined;
  const { noteDigest, actionsDigest } = body.approval.statement;
  return `${entry.taskId ?? ''} ${noteDigest} ${actionsDigest}`;
}
