import { repairVault } from '#local-agent/repair/repair-vault.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify.ts';
import { archivedName } from '#protocol/archive.ts';
import { canonicalJson, sha256Hex } from '#protocol/canonical.ts';
import type { Problem, ProblemCode } from '#local-agent/verify/problem.ts';
import { firstUnknown, machinesAhead } from '../world/cut-ledger.ts';
import { THE_ITEMS } from '../world/mishaps.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import { isWhole } from './cuts.ts';
import { lacksKeys } from './keys-at-rest.ts';
import type { WitnessView } from './witness.ts';

/** What may be found where a machine's copy of the ledger came back from a backup: its journal of calls is not whole. */
const AFTER_RESTORE: readonly ProblemCode[] = ['effect-unmade'];
/** What somebody with the cloud's role can bring about that no repair can undo, and what one can. A backup can, too. */
const NAMED: readonly ProblemCode[] = ['incident', 'content-altered', 'content-missing'];
const MENDED: readonly ProblemCode[] = [
  'task-missing',
  'task-behind',
  'task-state',
  'task-held',
  'task-owner',
];
/** Bytes that were altered in the store are brought to no vault. */
const UNBROUGHT: readonly ProblemCode[] = ['vault-missing', 'vault-differs', 'vault-stray'];

/**
 * `employee verify`, asked in the end on every machine: finds nothing in an honest world, and in one with an attacker
 * names every entry that was forged, or the first that nobody can read. `employee repair` mends what an attacker or a
 * backup did to the items and the journal, and executes nothing (which the check of effects sees).
 */
export function auditProof(world: World, witness: WitnessView): Auditor {
  const isHonest = world.plan.attacks.length === 0;
  const isTampered = world.plan.attacks.some(
    ({ what }) => what === 'overwritten blob' || what === 'wrong contents',
  );

  async function proveWhole(machine: Machine): Promise<void> {
    const isRestored = world.restored.has(machine.name);
    // The items know of what a cut took away.
    const isMended = !isHonest || world.restored.has(THE_ITEMS) || !isWhole(witness);
    const isLost = lostOf(world).length > 0;
    const named = [
      ...(isHonest ? [] : NAMED),
      ...(isTampered ? UNBROUGHT : []),
      ...(isLost ? (['archive'] as const) : []),
    ];
    const found = await problemsOf(machine);
    requireThat(
      !isLost || found.some(({ code }) => code === 'archive'),
      'verify',
      () => `${machine.name} does not say that entries are gone which stand in the archive`,
    );
    requireOnly(found, machine, [
      ...named,
      ...(isMended ? MENDED : []),
      ...(isRestored ? AFTER_RESTORE : []),
    ]);
    const numbers = new Set(found.map(({ n }) => n));
    const unnamed = world.forged.filter((n) => !numbers.has(n));
    requireThat(
      unnamed.length === 0,
      'verify',
      () => `${machine.name} does not name the forged entries ${unnamed.join()}`,
    );
    if (!isMended && !isRestored) return;
    await machine.command('cli', (agent) => repairVault(agent, { act: true }));
    // What was mended here is brought there before anybody asks there.
    const sawMore = machinesAhead(world);
    const others = [...world.machines.values()].filter((each) => each !== machine && !sawMore.includes(each));
    // And back: what a note that was mended has to explain may be said there first.
    for (const each of [...others, machine]) await each.command('cli', (agent) => syncVault(agent));
    // What was carried out, and approved by a machine that stands still since the cut, is for that one to settle.
    const unsettled: readonly ProblemCode[] = machinesAhead(world).length > 0 ? ['task-state'] : [];
    requireOnly(await problemsOf(machine), machine, [...named, ...unsettled]);
  }

  async function proveBroken(machine: Machine): Promise<void> {
    const n = witness.read + 1;
    const found = await problemsOf(machine);
    const isNamed = found.some((problem) => problem.code === 'ledger' && problem.n === n);
    requireThat(
      isNamed,
      'verify',
      () => `${machine.name} does not name the bad entry ${n}: ${JSON.stringify(found)}`,
    );
  }

  /** Who saw what is gone names the first such entry, or the one before it that nobody can read; and repairs nothing. */
  async function proveCut(machine: Machine): Promise<void> {
    const n = firstUnknown(world, machine);
    const standing = world.cloud.ledger.rows.length;
    const found = await problemsOf(machine);
    requireThat(
      found.some((problem) => ['copy', 'ledger'].includes(problem.code) && (problem.n ?? 0) <= (n ?? 0)),
      'verify',
      () => `${machine.name} does not name entry ${n ?? 0}, which it saw: ${JSON.stringify(found)}`,
    );
    await machine.command('cli', (agent) => repairVault(agent, { act: true })).catch(() => undefined);
    requireThat(
      world.cloud.ledger.rows.length === standing,
      '8',
      () => `the repair of ${machine.name} wrote into a ledger that was cut`,
    );
  }

  return {
    atEnd: async () => {
      const sawMore = machinesAhead(world);
      for (const machine of world.machines.values()) {
        if (sawMore.includes(machine)) await proveCut(machine);
        else if (witness.broken === undefined) await proveWhole(machine);
        else if (!lacksKeys(machine, witness)) await proveBroken(machine);
      }
    },
  };
}

/** What stands in the archive, and not in the ledger. */
function lostOf({ cloud }: World): string[] {
  const standing = new Set(
    cloud.ledger.rows.map(({ vaultId, n, entry }) =>
      archivedName(vaultId, n, sha256Hex(canonicalJson(entry))),
    ),
  );
  return [...cloud.archive.objects.keys()].filter((name) => !standing.has(name));
}

async function problemsOf(machine: Machine): Promise<readonly Problem[]> {
  const { problems } = await machine.command('cli', (agent) => verifyVault(agent));
  return problems;
}

function requireOnly(found: readonly Problem[], { name }: Machine, expected: readonly ProblemCode[]): void {
  const unexpected = found.filter(({ code }) => !expected.includes(code));
  requireThat(
    unexpected.length === 0,
    'verify',
    () => `${name} finds ${JSON.stringify(unexpected).slice(0, 1_000)}`,
  );
}
