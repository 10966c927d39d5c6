import { LedgerIntegrityError } from '#protocol/errors.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import type { VerifiedEntry } from '#protocol/ledger-session.ts';
import type { AgentPorts } from './agent.ts';

/** This machine as a writer of the ledger. */
export function writerOf({ config, keys }: Pick<AgentPorts, 'config' | 'keys'>): Writer {
  return { vaultId: config.vaultId, writer: config.agent, signingKey: keys.signing, keyring: keys.keyring };
}

/**
 * The owner's machine holds every key: an entry that it cannot open is one that nobody can check.
 *
 * @throws {LedgerIntegrityError}
 */
export function requireReadable({ entry, body }: Pick<VerifiedEntry, 'entry' | 'body'>): void {
  if (!body) throw new LedgerIntegrityError(entry.n, 'is sealed with a key that this machine does not have');
}
