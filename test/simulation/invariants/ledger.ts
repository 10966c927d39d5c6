import { sha256Hex } from '#protocol/canonical.ts';
import { entryHash, GENESIS_PREV, LedgerEntry } from '#protocol/ledger-entry.ts';
import { machinesAhead } from '../world/cut-ledger.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import { lacksKeys } from './keys-at-rest.ts';
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
  let turn = 0;

  function look(): void {
    forgetCut();
    const inOrder = rows.findIndex(({ n }, index) => n !== index + 1);
    // Where the table was cut, somebody may have gone on who had not heard of it (`cuts.ts`).
    const end = inOrder < 0 || world.putBacks.length === 0 ? rows.length : inOrder;
    requireThat(rows.length >= stood.length, '8', () => `of ${stood.length} entries ${rows.length} are left`);
    for (let index = stood.length; index < end; index++) {
      const row = rows[index];
      requireThat(
        row?.n === index + 1,
        '8',
        () => `entry ${row?.n ?? 0} stands in the place of ${index + 1}`,
      );
      stood.push(sha256Hex(JSON.stringify(row?.entry)));
    }
    const good = witness.read;
    for (let index = hashes.length; index < good; index++) {
      const entry = LedgerEntry.parse(rows[index]?.entry);
      const before = hashes[index - 1] ?? GENESIS_PREV;
      requireThat(entry.prev === before, '8', () => `entry ${entry.n} does not follow the one before it`);
      hashes.push(entryHash(entry));
    }
    if (!isHonest) return;
    requireThat(
      witness.broken === undefined || world.putBacks.length > 0,
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

  /** What was put back to another state is looked at afresh. */
  function forgetCut(): void {
    const kept = Math.min(stood.length, ...world.putBacks.slice(turn));
    turn = world.putBacks.length;
    stood.length = kept;
    hashes.length = Math.min(hashes.length, kept);
  }

  return {
    step: ({ port, method }) => {
      if (port === 'ledger' && method === 'append') look();
    },
    atEnd: () => {
      look();
      for (const [index, row] of rows.slice(0, stood.length).entries()) {
        const now = sha256Hex(JSON.stringify(row.entry));
        requireThat(now === stood[index], '8', () => `entry ${row.n} was changed`);
      }
      const sawMore = machinesAhead(world);
      for (const machine of world.machines.values()) {
        const { name, disk } = machine;
        if (sawMore.includes(machine) || lacksKeys(machine, witness)) continue;
        const missing = hashes.findIndex((hash, index) => disk.copy.hashOf(index + 1) !== hash);
        requireThat(missing === -1, '8', () => `the copy of ${name} lacks entry ${missing + 1}`);
      }
    },
  };
}
