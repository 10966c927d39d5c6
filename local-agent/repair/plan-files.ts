import { counted } from '../counted.ts';
import { syncVault } from '../sync/sync.ts';
import type { Notice, Problem } from '../verify/problem.ts';
import { forgetAgreed } from './forget-agreed.ts';
import type { Repair } from './repair.ts';

/**
 * Brings back what is in the ledger and not in the vault, and lets a sync carry the rest. What a sync does
 * not settle is planned after it.
 *
 * @param synced a sync was part of this repair already.
 */
export function planFiles(tree: readonly Problem[], notices: readonly Notice[], synced: boolean): Repair[] {
  const strays = pathsOf(tree, 'vault-stray');
  // A note that stands in another folder was moved: what that asks for is for the sync to say.
  const moved = new Set(strays.map(nameOf));
  const missing = pathsOf(tree, 'vault-missing').filter((path) => !moved.has(nameOf(path)));
  const others = [...pathsOf(tree, 'vault-differs'), ...strays];
  const repairs: Repair[] = [];
  if (missing.length > 0) {
    repairs.push({
      code: 'vault-files',
      paths: missing,
      what: `bring back ${counted(missing.length, 'file')} from the ledger`,
      why: `${listed(missing)} in the ledger and not in the vault; if you deleted that on purpose, run "employee sync" instead`,
      keeps: 'everything else in the vault',
      act: async (agent) => {
        forgetAgreed(agent, new Set(missing));
        await syncVault(agent);
      },
    });
  }
  const unsynced = notices.some(({ code }) => code === 'unsynced');
  if (!synced && missing.length === 0 && (others.length > 0 || unsynced)) {
    repairs.push({
      code: 'sync',
      paths: others,
      what: 'bring vault and ledger together by a sync',
      why: others.length > 0 ? `${listed(others)} not what the ledger says` : 'new files wait for it',
      keeps: 'both versions of whatever changed on both sides',
      act: async (agent) => void (await syncVault(agent)),
    });
  }
  return repairs;
}

function pathsOf(tree: readonly Problem[], code: Problem['code']): string[] {
  return tree.flatMap((problem) => (problem.code === code && problem.path !== undefined ? problem.path : []));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function listed(paths: readonly string[]): string {
  const [first = '', ...others] = paths;
  if (others.length === 0) return `${first} is`;
  return others.length === 1
    ? `${first} and ${others[0] ?? ''} are`
    : `${first} and ${others.length} others are`;
}
