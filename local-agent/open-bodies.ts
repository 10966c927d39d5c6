import type { LedgerBody } from '#protocol/ledger-body.ts';
import { openBody } from '#protocol/ledger-entry.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { Agent } from './agent.ts';

/**
 * Opens entries of the copy, but for those that readers refuse unread: sealed with keys that were not in force,
 * they may hold anything.
 */
export function openBodies({
  keys,
  session,
}: Pick<Agent, 'keys' | 'session'>): (entry: LedgerEntry) => LedgerBody | undefined {
  const unread = new Set(session.state.refusals.flatMap(({ n, code }) => (code === 'old-keys' ? [n] : [])));
  return (entry) => (unread.has(entry.n) ? undefined : openBody(entry, keys.keyring));
}
