import { existsSync } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import { requireReadable, writerOf } from '../writer.ts';
import type { AgentPorts } from '../agent.ts';
import { LedgerCopy } from '../ledger-copy.ts';
import type { JournaledEffect } from '../ledger-copy.ts';
import { JOURNAL_LOST } from '../verify/verify-effects.ts';
import { salvage } from './salvage.ts';
import type { Salvage } from './salvage.ts';

/** What became of a damaged copy. */
export interface RebuiltCopy {
  /** Entries of the ledger, read afresh and checked. */
  readonly entries: number;
  /** Where the damaged file is kept. */
  readonly keptAs: string;
  /** Calls of which the journal could be saved. */
  readonly effects: number;
  /** Whether all of the journal could be read. */
  readonly journalWhole: boolean;
}

/**
 * Puts a fresh copy of the ledger in the place of a damaged one: all entries are read from the cloud and
 * checked, the journal of effects and the open claims are taken over as far as they can be read, and the
 * damaged file is kept beside it. What vault and ledger last agreed on is not taken over, so that the next
 * sync compares afresh and deletes nothing.
 *
 * A damaged copy is still a witness: if one of its whole entries is not in the cloud's ledger, the cloud's
 * ledger was cut or rewritten, and nothing is replaced.
 *
 * @param file `ledger.db`; the caller holds the lock of its folder.
 * @throws {LedgerIntegrityError} when the cloud's ledger is not whole, or not the one this machine saw.
 */
export async function rebuildCopy(
  file: string,
  ports: Pick<AgentPorts, 'config' | 'keys' | 'ledger' | 'clock' | 'ids'>,
): Promise<RebuiltCopy> {
  const saved = salvage(file);
  const fresh = `${file}.rebuilding`;
  for (const end of ['', '-wal', '-shm']) await rm(`${fresh}${end}`, { force: true });
  const copy = new LedgerCopy(fresh, ports.keys.keyring);
  let entries: number;
  try {
    const session = new LedgerSession(writerOf(ports), ports.config.root, ports, requireReadable, {
      keep: (verified) => copy.keep(verified),
    });
    await session.pull();
    entries = session.state.head.n;
    requireWitnessed(saved, copy, entries);
    copy.together(() => takeOver(saved, copy, entries));
  } finally {
    copy.close();
  }
  const keptAs = `${file}.damaged-${ports.clock.now().replace(/[:.]/g, '-')}`;
  // The log first: beside another file than its own it would be taken for that file's.
  for (const end of ['-wal', '-shm']) {
    if (existsSync(`${file}${end}`)) await rename(`${file}${end}`, `${keptAs}${end}`);
  }
  if (existsSync(file)) await link(file, keptAs);
  await rename(fresh, file);
  const { effects, journalWhole } = saved;
  return { entries, keptAs, effects: effects.length, journalWhole };
}

function requireWitnessed({ seen }: Salvage, copy: LedgerCopy, entries: number): void {
  for (const [n, hash] of [...seen].sort(([a], [b]) => a - b)) {
    const now = copy.hashOf(n);
    if (now === hash) continue;
    const what = n > entries ? 'is gone from the cloud' : 'is another in the cloud';
    throw new LedgerIntegrityError(
      n,
      `${what} than this machine saw before: the copy is kept as the witness it is, and nothing was replaced`,
    );
  }
}

function takeOver(saved: Salvage, copy: LedgerCopy, entries: number): void {
  for (const [key, effect] of saved.effects) copy.journal(key, JSON.parse(effect) as JournaledEffect);
  for (const [taskId, epoch] of saved.claims) copy.noteClaim(taskId, epoch);
  for (const [name, value] of saved.facts) {
    // The rest speaks of syncs with the copy that is gone.
    if (name.startsWith('Briefings/') || name === JOURNAL_LOST) copy.setFact(name, value);
  }
  if (!saved.journalWhole) copy.setFact(JOURNAL_LOST, String(entries));
}
