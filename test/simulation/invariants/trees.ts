import { syncVault } from '#local-agent/sync/sync.ts';
import type { SyncReport } from '#local-agent/sync/sync.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { VaultPath } from '#protocol/vault-path.ts';
import { vaultTree } from '#protocol/vault-state.ts';
import type { Machine } from '../world/machine.ts';
import { machinesAhead } from '../world/cut-ledger.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import type { WitnessView } from './witness.ts';

/**
 * Invariant 9, in the end: every machine's vault is what the ledger says, so all of them are equal, and one more sync
 * writes nothing anywhere. Invariant 15 at each call: no path leads out of the vault.
 */
export function auditTrees(world: World, witness: WitnessView): Auditor {
  // Bytes that somebody altered in the store are brought nowhere.
  const isTampered = world.plan.attacks.some(
    ({ what }) => what === 'overwritten blob' || what === 'wrong contents',
  );
  return {
    step: ({ port, method, args }) => {
      if (port !== 'files' || method === 'list') return;
      for (const path of method === 'move' ? args.slice(0, 2) : args.slice(0, 1)) {
        requireThat(
          path === '' || VaultPath.safeParse(path).success,
          '15',
          () => `${method} of ${String(path)}`,
        );
      }
    },
    atEnd: async () => {
      if (witness.broken !== undefined) return;
      const { rows } = world.cloud.ledger;
      const sawMore = machinesAhead(world);
      for (const machine of world.machines.values()) {
        // It syncs nothing any more, and says so.
        if (sawMore.includes(machine)) continue;
        const [entries, tree] = [rows.length, [...machine.tree()]];
        const report = await machine.command('cli', (agent) => syncVault(agent));
        requireThat(
          report.pushed === 0 && rows.length === entries,
          '9',
          () => `one more sync of ${machine.name} wrote into the ledger: ${wordsOf(report)}`,
        );
        requireThat(
          report.applied === 0,
          '9',
          () => `one more sync of ${machine.name} changed the vault: ${wordsOf(report)}`,
        );
        requireThat(
          JSON.stringify(tree) === JSON.stringify([...machine.tree()]),
          '9',
          () => `one more sync of ${machine.name} moved files`,
        );
        if (!isTampered) requireEqual(machine, report, witness);
      }
    },
  };
}

function requireEqual(machine: Machine, report: SyncReport, witness: WitnessView): void {
  const withheld = new Set(report.withheld.map(({ path }) => path));
  const ledger = new Map([...vaultTree(witness.state)].map(([path, { sha256 }]) => [path, sha256]));
  const disk = new Map([...machine.tree()].map(([path, text]) => [path, sha256Hex(text)]));
  const different = [...new Set([...ledger.keys(), ...disk.keys()])].filter(
    // The pages of the day follow from the ledger, and each machine writes its own, until a person changes one.
    (path) =>
      !withheld.has(path) &&
      ledger.get(path) !== disk.get(path) &&
      (ledger.has(path) || !path.startsWith('Briefings/')),
  );
  requireThat(
    different.length === 0,
    '9',
    () =>
      `${machine.name} differs from the ledger in ${different.map((path) => `${path} (${disk.has(path) ? (ledger.has(path) ? 'other bytes' : 'not in the ledger') : 'not in the vault'})`).join(', ')}; ${wordsOf(report)}`,
  );
}

function wordsOf({ changes, explained, conflicts, withheld }: SyncReport): string {
  return JSON.stringify({ changes, explained: [...explained], conflicts, withheld }).slice(0, 1_000);
}
