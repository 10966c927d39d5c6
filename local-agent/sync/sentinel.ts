import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { EmployeeError } from '#protocol/errors.ts';
import { jsonOf } from '#protocol/json-of.ts';
import type { Agent } from '../agent.ts';

/** The file at the vault's root that says whose vault this is. An unmounted disk has none. */
export const SENTINEL = '.employee-vault';

const Sentinel = z.object({ vaultId: z.string() });

/** The folder is not this agent's vault. */
export class NotAVaultError extends EmployeeError {
  static override readonly code = 'NOT_A_VAULT';
}

/**
 * Makes sure that the folder is the vault of this config, before anything in it is believed.
 *
 * @throws {NotAVaultError}
 */
export async function checkSentinel(agent: Pick<Agent, 'config'>): Promise<void> {
  const file = path.join(agent.config.vault, SENTINEL);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new NotAVaultError(
      `${agent.config.vault} is no vault (it has no ${SENTINEL}); nothing was changed. ` +
        'Is its disk mounted? Otherwise name the vault with --vault; if it is lost, "employee repair" brings it back',
      { cause },
    );
  }
  const parsed = Sentinel.safeParse(jsonOf(text));
  if (parsed.success && parsed.data.vaultId === agent.config.vaultId) return;
  const whose = parsed.success ? `of another ledger (${parsed.data.vaultId})` : 'broken';
  throw new NotAVaultError(
    `the file ${file} is ${whose}; nothing was changed. Name the right vault with --vault`,
  );
}
