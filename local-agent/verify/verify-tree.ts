import { sha256Hex } from '#protocol/canonical.ts';
import type { HeldContent } from '#protocol/content.ts';
import { EmployeeError } from '#protocol/errors.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { vaultTree } from '#protocol/vault-state.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { isOwnBriefing } from '../briefing.ts';
import { scanVault } from '../sync/scan.ts';
import { lastWithheld } from '../withheld-list.ts';
import { inFlight } from '../in-flight.ts';
import { problem } from './problem.ts';
import type { Notice, Problem } from './problem.ts';

const IN_FLIGHT = 8;

/**
 * Compares the vault's files with the tree that follows from the ledger: every path is there, every byte
 * is the ledger's (each file is read, whatever its time and size say), and nothing stands in a folder of
 * tasks that belongs to none. That no two names are one on another system is a rule of replay.
 */
export async function verifyTree(
  agent: Agent,
  state: VaultState,
): Promise<{ readonly problems: Problem[]; readonly notices: Notice[] }> {
  const problems: Problem[] = [];
  const notices: Notice[] = [];
  const scan = await scanVault(agent);
  // What the last sync left alone as well: a file that it did not write is on no disk to be found.
  const leftAlone = new Map(lastWithheld(agent.copy).map(({ path, why }) => [path, why]));
  const withheld = new Map([...leftAlone, ...scan.withheld.map(({ path, why }) => [path, why] as const)]);
  const tree = vaultTree(state);
  await inFlight(tree, IN_FLIGHT, async ([path, content]) => {
    const why = withheldBy(path, withheld);
    if (why === undefined) problems.push(...(await compare(agent, path, content)));
    else notices.push({ code: 'withheld', path, message: `the ledger's ${path} is left alone here: ${why}` });
  });
  let unsynced = 0;
  for (const [path, hash] of scan.files) {
    if (tree.has(path)) continue;
    const why = leftAlone.get(path);
    if (why !== undefined) notices.push({ code: 'withheld', path, message: `stays on this machine: ${why}` });
    else if (taskFolderOf(path)) {
      const message = `${path} stands in a folder of tasks and belongs to none`;
      problems.push(problem('vault-stray', message, { path }));
    } else if (!isOwnBriefing(agent, path, hash)) unsynced += 1;
  }
  if (unsynced > 0) {
    const what = unsynced === 1 ? 'one new file waits' : `${unsynced} new files wait`;
    notices.push({ code: 'unsynced', message: `${what} for the next sync` });
  }
  problems.sort((a, b) => ((a.path ?? '') < (b.path ?? '') ? -1 : 1));
  return { problems, notices };
}

async function compare(agent: Agent, path: string, content: HeldContent): Promise<Problem[]> {
  let disk: Uint8Array | undefined;
  try {
    disk = await agent.files.read(path);
  } catch (error) {
    // A link or a folder in its place.
    if (!(error instanceof EmployeeError)) throw error;
    return [problem('vault-differs', `${path} cannot be read: ${error.message}`, { path })];
  }
  if (!disk) return [problem('vault-missing', `${path} is in the ledger and not in the vault`, { path })];
  if (sha256Hex(disk) === content.sha256) return [];
  return [problem('vault-differs', `${path} is not what the ledger says`, { path })];
}

/** Also by a folder above it. */
function withheldBy(path: string, withheld: ReadonlyMap<string, string>): string | undefined {
  const parts = path.split('/');
  for (let length = 1; length <= parts.length; length += 1) {
    const why = withheld.get(parts.slice(0, length).join('/'));
    if (why !== undefined) return why;
  }
  return undefined;
}
