import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Agent } from '../agent.ts';
import { writeNewFile } from '../durable-file.ts';
import { UsageError } from '../exit-codes.ts';
import { checkSentinel, NotAVaultError, SENTINEL } from '../sync/sentinel.ts';
import { syncVault } from '../sync/sync.ts';
import { problem } from '../verify/problem.ts';
import { forgetAgreed } from './forget-agreed.ts';
import type { Repair, RepairOptions, RepairPlan } from './repair.ts';

/**
 * What to do about a vault folder that is gone, empty or without its sentinel; `undefined` when it is
 * there. It is brought back only into the folder of the config, and only if the person names that folder:
 * a disk that is merely not mounted must not be written under.
 *
 * @throws {UsageError} when another folder is named, or the folder belongs to another ledger.
 */
export async function planVault(
  agent: Agent,
  { restoreVault }: RepairOptions,
): Promise<RepairPlan | undefined> {
  const { vault, vaultId } = agent.config;
  let why: string;
  try {
    await checkSentinel(agent);
    return undefined;
  } catch (error) {
    if (!(error instanceof NotAVaultError)) throw error;
    why = error.message;
  }
  if (restoreVault === undefined) {
    const fix =
      `mount its disk, or name the right folder with --vault; if it is lost, ` +
      `"employee repair --restore-vault ${vault}" brings it back from the ledger`;
    return { repairs: [], left: [problem('vault-missing', why, { fix })] };
  }
  if (path.resolve(restoreVault) !== path.resolve(vault)) {
    throw new UsageError(
      `the vault of this config is ${vault}, not ${path.resolve(restoreVault)}; name it to confirm, or choose another with --vault`,
    );
  }
  const repair: Repair = {
    code: 'vault',
    what: `bring the vault back into ${vault}`,
    why,
    keeps: 'files that stand there already stay; where they differ from the ledger, both versions are kept',
    act: async () => {
      await mkdir(vault, { recursive: true });
      // Before the sentinel is there: what this machine last agreed on must not read as files deleted.
      forgetAgreed(agent);
      const made = await writeNewFile(path.join(vault, SENTINEL), `${JSON.stringify({ vaultId })}\n`);
      if (made === 'exists') await checkSentinel(agent);
      await syncVault(agent);
    },
  };
  return { repairs: [repair], left: [] };
}
