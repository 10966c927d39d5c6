import { archivedEntry, archiveFolder, rewrittenFolder } from '#protocol/archive.ts';
import type { Agent } from '../agent.ts';
import { problem } from './problem.ts';
import type { Notice, Problem } from './problem.ts';
import type { LedgerProof } from './verify-ledger.ts';

/** What the archive says of the ledger. */
export interface ArchiveProof {
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
}

/** The archive is copied from a stream: so much later it has every entry, or its function is not well. */
const LATE_MS = 60 * 60 * 1000;
/** A ledger that was cut has thousands of entries too few; a few say it all. */
const MAX_PROBLEMS = 10;

/**
 * Compares the ledger with the archive, by the names of its objects alone: each holds number and hash of an entry, was
 * put by a role that can do nothing else, and stays for its retention. So a ledger that was cut or set back is noticed
 * also where the copy of this machine was set back with it.
 */
export async function verifyArchive(
  { archive, config, clock }: Pick<Agent, 'archive' | 'config' | 'clock'>,
  { chain }: Pick<LedgerProof, 'chain'>,
): Promise<ArchiveProof> {
  if (!archive) return { problems: [], notices: [] };
  const problems: Problem[] = [];
  const archived = new Set<number>();
  const find = (message: string, n: number): void => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem('archive', message, { n }));
  };
  try {
    for await (const name of archive.names(archiveFolder(config.vaultId))) {
      const { n, hash } = archivedEntry(name) ?? { n: 0, hash: '' };
      if (n === 0) continue;
      const known = chain[n - 1];
      if (!known) find(`the archive has entry ${n}, and the ledger ends with entry ${chain.length}`, n);
      else if (known.hash !== hash) find(`entry ${n} of the archive is not the one of the ledger`, n);
      else archived.add(n);
    }
    for await (const name of archive.names(rewrittenFolder(config.vaultId))) {
      const n = Number(/\/(\d+)-[^/]*$/.exec(name)?.[1] ?? 0);
      find(`somebody changed or removed entry ${n} in the table after it was written`, n);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { problems, notices: [{ code: 'skipped', message: `the archive could not be read: ${why}` }] };
  }
  const isLate = (at: string): boolean => Date.parse(clock.now()) - Date.parse(at) > LATE_MS;
  const missing = chain.findIndex(({ at }, index) => !archived.has(index + 1) && isLate(at));
  if (missing < 0 || problems.length > 0) return { problems, notices: [] };
  const n = missing + 1;
  const message = `entry ${n} is not in the archive an hour after it was written: see the alarm of the archive function`;
  return { problems, notices: [{ code: 'unarchived', n, message }] };
}
