import path from 'node:path';
import { z } from 'zod';
import { createClients } from '#adapters/aws-clients.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { folderOfState, openAgent } from '../open-agent.ts';
import type { OpenAgent } from '../open-agent.ts';
import { readConfig } from '../config.ts';
import { keysFileOf, loadKeys } from '../keys.ts';
import { acquireLock } from '../lock.ts';
import { rebuildCopy } from './rebuild-copy.ts';
import type { RebuiltCopy } from './rebuild-copy.ts';
import { damageOf, salvage } from './salvage.ts';

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

/** Where the copy of a config is. */
export function copyFileOf(configFile: string): string {
  return path.join(folderOfState(configFile), 'ledger.db');
}

/** Opens the agent, or says why its copy of the ledger cannot be used. */
export async function openOrDamage(
  configFile: string,
  options: { readonly vault?: string | undefined; readonly log: (line: string) => void },
): Promise<{ readonly agent: OpenAgent } | { readonly damage: string }> {
  const file = copyFileOf(configFile);
  const damage = damageOf(file);
  if (damage !== undefined) return { damage };
  const { broken } = salvage(file);
  if (broken > 0) return { damage: `${broken} of its entries are not what they were when they were kept` };
  try {
    return { agent: await openAgent(configFile, options) };
  } catch (error) {
    // Opening reads nothing but this machine's own files: whatever does not fit stands in them.
    if (isDamage(error)) return { damage: (error as Error).message };
    throw error;
  }
}

/** Rebuilds the copy of a config from its stack, with the sole right to the state folder. */
export async function rebuildCopyOf(configFile: string, log: (line: string) => void): Promise<RebuiltCopy> {
  const config = await readConfig(configFile);
  const keys = await loadKeys(keysFileOf(configFile));
  const lock = await acquireLock(folderOfState(configFile), log);
  const clients = createClients(config);
  try {
    const ledger = createDynamoLedgerStore(clients.dynamodb, config.stack.ledgerTable);
    const ports = { config, keys, ledger, clock: systemClock, ids: randomIds };
    return await rebuildCopy(copyFileOf(configFile), ports);
  } finally {
    clients.destroy();
    lock.release();
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof LedgerIntegrityError || error instanceof z.ZodError) return true;
  if (error instanceof SyntaxError) return true;
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && DAMAGED.has(errcode & 0xff);
}
