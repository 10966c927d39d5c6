import { canonicalJson } from '#protocol/canonical.ts';
import { EmployeeError } from '#protocol/errors.ts';
import { unwrapKeys } from '#protocol/key-epoch.ts';
import { openBody } from '#protocol/ledger-entry.ts';
import type { VaultKeys } from '#protocol/seal.ts';
import type { SigningKey } from '#protocol/signing.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import type { Agent, AgentPorts } from './agent.ts';
import type { AgentKeys } from './keys.ts';

/** The vault keys in force are not on this machine, and it cannot get them by itself. */
export class KeysMissingError extends EmployeeError {
  static override readonly code = 'KEYS_MISSING';

  constructor(what: string) {
    super(
      `${what}: on the machine that rotated the keys run "employee keys export FILE", carry the file over by a way you trust, and run "employee keys import FILE" here`,
    );
  }
}

type KeyPorts = Pick<AgentPorts, 'keys' | 'keyStore'>;

/**
 * Keeps the vault keys of an epoch that comes into force: durably, before anything that they seal is taken in.
 *
 * @throws {KeysMissingError} when nobody gave them to this machine.
 */
export function keepEpoch(ports: KeyPorts, keyEpoch: number, keys: VaultKeys | undefined): void {
  const { from } = keys ?? {};
  if (!keys) rereadKeys(ports);
  const held = keys ?? ports.keys.keyring.find((known) => known.keyEpoch === keyEpoch);
  if (held?.private === undefined) {
    throw new KeysMissingError(
      `the vault keys were rotated (key epoch ${keyEpoch}), and not handed to this machine`,
    );
  }
  if (!ports.keyStore) return;
  const stored = ports.keyStore.read();
  const others = stored.keyring.filter((known) => known.keyEpoch !== keyEpoch);
  const keyring = [...others, { ...held, ...(from ? { from } : {}) }].sort((a, b) => a.keyEpoch - b.keyEpoch);
  if (canonicalJson(keyring) !== canonicalJson(stored.keyring)) ports.keyStore.write({ ...stored, keyring });
}

/** Takes over what another process, such as a rotation or an import, has written into the keys' file. */
export function rereadKeys({ keys, keyStore }: KeyPorts): void {
  if (keyStore) takeOver(keys, keyStore.read());
}

/** Changes the keys in memory, which many hold, to others. What was known stays known. */
export function takeOver(keys: AgentKeys, fresh: AgentKeys): void {
  for (const epoch of fresh.keyring) {
    const known = keys.keyring.find(({ keyEpoch }) => keyEpoch === epoch.keyEpoch);
    if (!known) keys.keyring.push({ ...epoch });
    else if (epoch.from) known.from ??= epoch.from;
  }
  keys.approval = fresh.approval;
  if (fresh.rotation) keys.rotation = fresh.rotation;
  else delete keys.rotation;
}

/**
 * Makes sure that the keys in force at a state are at hand and kept; they may be newer than a keys' file that
 * came back from a backup.
 *
 * @throws {KeysMissingError}
 */
export function requireEpoch(
  ports: KeyPorts & Pick<AgentPorts, 'copy' | 'config'>,
  { keys: inForce, epochStart }: Pick<VaultState, 'keys' | 'epochStart'>,
): void {
  if (!inForce || !epochStart || epochStart.n === 1) return;
  const { keyring } = ports.keys;
  const from = { n: epochStart.n, hash: epochStart.hash };
  let held = keyring.find(({ keyEpoch }) => keyEpoch === inForce.keyEpoch);
  if (!held) {
    const entry = ports.copy.entryAt(epochStart.n);
    const body = entry && openBody(entry, keyring);
    held = body?.kind === 'keys' ? unwrapKeys(body, keyring, ports.config.vaultId) : undefined;
    if (held) keyring.push(held);
  }
  if (held) held.from ??= from;
  keepEpoch(ports, inForce.keyEpoch, held);
}

/**
 * The key with which this machine approves: the one that is in force for its approver.
 *
 * @throws {KeysMissingError}
 */
export function approvalKeyOf(agent: Pick<Agent, 'keys' | 'config' | 'session'>): SigningKey {
  const { keys, config, session } = agent;
  const inForce = session.state.keys?.approvers.find(
    ({ approver }) => approver === config.approver,
  )?.publicKey;
  const next = keys.rotation?.compromised?.approval;
  const key = [keys.approval, ...(next ? [next] : [])].find(({ publicKey }) => publicKey === inForce);
  if (key) return key;
  throw new KeysMissingError(`the key of the approver "${config.approver}" is not the one on this machine`);
}
