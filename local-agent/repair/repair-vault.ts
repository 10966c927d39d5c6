import { EmployeeError } from '#protocol/errors.ts';
import { VaultPath } from '#protocol/vault-path.ts';
import type { Agent } from '../agent.ts';
import type { Problem } from '../verify/problem.ts';
import type { VerifyProgress } from '../verify/verify.ts';
import { planRepairs } from './plan-repairs.ts';
import { repairKey } from './repair.ts';
import type { Repair, RepairCode, RepairOptions } from './repair.ts';

/** What was planned, what was done, and what is left. */
export interface RepairReport {
  /** Nothing is left to mend, by this command or by a person. */
  readonly ok: boolean;
  /** What can be mended and was not: everything, without leave to act. */
  readonly planned: readonly Repair[];
  readonly done: readonly Repair[];
  readonly failed: readonly { readonly repair: Repair; readonly why: string }[];
  /** What this command cannot mend. */
  readonly left: readonly Problem[];
}

/** One repair may bring to light another: a file that is back can be stored again. */
const MAX_ROUNDS = 6;
const SYNCING: ReadonlySet<RepairCode> = new Set<RepairCode>(['sync', 'vault', 'vault-files']);

/**
 * Mends what can be mended, or with `act: false` only says what that would be. Before each repair an entry
 * of the ledger tells of it. Interrupted anywhere and run again it goes on; after it, a second run plans
 * nothing. Never touches an approval, an intent or a result, and never an entry that stands.
 */
export async function repairVault(
  agent: Agent,
  options: RepairOptions & { readonly act: boolean; readonly progress?: VerifyProgress },
): Promise<RepairReport> {
  if (options.act) await agent.session.pull();
  const done = new Map<string, Repair>();
  const failed = new Map<string, { readonly repair: Repair; readonly why: string }>();
  const synced = (): boolean => [...done.values()].some(({ code }) => SYNCING.has(code));
  let plan = await planRepairs(agent, options);
  for (let round = 0; options.act && round < MAX_ROUNDS; round += 1) {
    const due = plan.repairs.filter(
      (repair) => !done.has(repairKey(repair)) && !failed.has(repairKey(repair)),
    );
    if (due.length === 0) break;
    for (const repair of due) {
      try {
        await record(agent, repair);
        await repair.act(agent);
        done.set(repairKey(repair), repair);
      } catch (error) {
        if (!(error instanceof EmployeeError)) throw error;
        failed.set(repairKey(repair), { repair, why: error.message });
      }
    }
    await agent.session.pull();
    plan = await planRepairs(agent, { ...options, synced: synced() });
  }
  return {
    ok: plan.repairs.length === 0 && plan.left.length === 0,
    planned: plan.repairs.filter((repair) => !failed.has(repairKey(repair))),
    done: [...done.values()],
    failed: [...failed.values()],
    left: plan.left,
  };
}

/** A sync tells of itself, by the entries that it writes. */
async function record(agent: Agent, repair: Repair): Promise<void> {
  if (repair.code === 'sync') return;
  const [first, ...others] = repair.paths ?? [];
  const path = others.length === 0 ? VaultPath.safeParse(first) : undefined;
  await agent.session.append(() => ({
    // It names paths, and what the cloud cannot read it need not know the name of.
    ring: 'private',
    body: {
      kind: 'override',
      reason: `${repair.what}: ${repair.why}`.slice(0, 2000),
      what: {
        of: 'repair',
        code: (repair.recordAs ?? repair.code).slice(0, 100),
        ...(path?.success ? { path: path.data } : {}),
      },
    },
  }));
}
