import { canonicalJson } from '#protocol/canonical.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import { snapshotJson } from '#protocol/state-snapshot.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { keepEpoch } from './key-epochs.ts';
import { leanState } from './lean-state.ts';
import { requireReadable, writerOf } from './writer.ts';

/**
 * Fetches what was written before the checkpoint that this machine began with, checks all of it from the
 * first entry on, and checks that these entries make the very state that the checkpoint said. Goes on where
 * it was interrupted. Does nothing on a machine whose copy is whole.
 *
 * A sync begins with it, and nothing is executed before a sync: a machine acts on a checkpoint's word for
 * showing things, never for doing them.
 *
 * @throws {LedgerIntegrityError} when the entries are not whole, or make another state.
 */
export async function completeHistory(agent: Agent): Promise<void> {
  const { copy, config } = agent;
  const begins = copy.begins();
  if (begins === 1) return;
  const session = new LedgerSession(writerOf(agent), config.root, agent, requireReadable, {
    keep: (verified) => copy.keep(verified),
    // It may be the first here to come past new keys; they may have been handed over since this process began.
    onKeyEpoch: ({ keyEpoch }, keys) => keepEpoch(agent, keyEpoch, keys),
  });
  for (const entry of copy.entries()) {
    if (entry.n !== session.state.head.n + 1) break;
    requireReadable(session.replay(entry));
  }
  for (let behind = true; behind;) {
    await session.pull();
    await agent.session.pull();
    behind = session.state.head.n < agent.session.state.head.n;
  }
  if (comparable(session.state) !== comparable(agent.session.state)) {
    throw new LedgerIntegrityError(
      begins - 1,
      'the checkpoint after it says another state than the entries make: do not trust the machine that wrote it',
    );
  }
  copy.setBegins(1);
}

function comparable(state: VaultState): string {
  return canonicalJson(JSON.parse(snapshotJson(leanState(state))));
}
