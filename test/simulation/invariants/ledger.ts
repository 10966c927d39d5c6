import { sha256Hex } from '#protocol/canonical.ts';
import { entryHash, GENESIS_PREV, LedgerEntry } from '#protocol/ledger-entry.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import type { WitnessView } from './witness.ts';

/**
 * Invariant 8: the table holds 1..n without holes, each entry names the one before, none is ever changed; in a world
 * without an attacker every reader can read all of it, and nobody writes what only an attacker would. In the end each
 * machine's copy is the table, as far as that is good.
 */
export function auditLedger(world: World, witness: WitnessView): Auditor {
  const { rows } = world.cloud.ledger;
  /** By number: how each row stood when it came, and the hash of the entry it holds. */
  const stood: string[] = [];
  const hashes: string[] = [];
  const isHonest = world.plan.attacks.length === 0;

  function look(): void {
    requireThat(rows.length >= stood.length, '8', () => `of ${stood.length} entries ${rows.length} are left`);
    for (let index = stood.length; index < rows.length; index++) {
      const row = rows[index];
      requireThat(
        row?.n === index + 1,
        '8',
        () => `entry ${row?.n ?? 0} stands in the place of ${index + 1}`,
      );
      stood.push(sha256Hex(JSON.stringify(row?.entry)));
    }
    const good = witness.entries().length;
    for (let index = hashes.length; index < good; index++) {
      const entry = LedgerEntry.parse(rows[index]?.entry);
      const before = hashes[index - 1] ?? GENESIS_PREV;
      requireThat(entry.prev === before, '8', () => `entry ${entry.n} does not follow the one before it`);
      hashes.push(entryHash(entry));
    }
    if (!isHonest) return;
    requireThat(
      witness.broken === undefined,
      '8',
      () => `nobody can read the ledger any more: ${String(witness.broken)}`,
    );
    const incident = witness.state.refusals.find(({ severity }) => severity === 'incident');
    requireThat(
      incident === undefined,
      '8',
      () => `an honest writer was refused: ${JSON.stringify(incident)}`,
    );
  }

  return {
    step: ({ port, method }) => {
      if (port === 'ledger' && method === 'append') look();
    },
    atEnd: () => {
      look();
      for (const [index, row] of rows.entries()) {
        const now = sha256Hex(JSON.stringify(row.entry));
        requireThat(now === stood[index], '8', () => `entry ${row.n} was changed`);
      }
      for (const { name, disk } of world.machines.values()) {
        const missing = hashes.findIndex((hash, index) => disk.copy.hashOf(index + 1) !== hash);
        requireThat(missing === -1, '8', () => `the copy of ${name} lacks entry ${missing + 1}`);
      }
    },
  };
}
