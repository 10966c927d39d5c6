import type { Writer } from '#protocol/ledger-entry.ts';
import type { VerifiedEntry } from '#protocol/ledger-session.ts';
import type { AgentPorts } from './agent.ts';
import { KeysMissingError } from './key-epochs.ts';

/** This machine as a writer of the ledger. */
export function writerOf({ config, keys }: Pick<AgentPorts, 'config' | 'keys'>): Writer {
  return { vaultId: config.vaultId, writer: config.agent, signingKey: keys.signing, keyring: keys.keyring };
}

/**
 * The owner's machine holds every key in force: an entry that it cannot open is one that it cannot check. What
 * was sealed with other keys than those in force is refused unread, by every reader.
 *
 * @throws {KeysMissingError}
 */
export function requireReadable({ entry, body, inForce }: VerifiedEntry): void {
  if (body || !inForce) return;
  throw new KeysMissingError(
    `ledger entry ${entry.n} is sealed with key epoch ${entry.keyEpoch}, whose keys this machine does not have`,
  );
}
