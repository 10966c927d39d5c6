import { CloudSecret } from '#protocol/cloud-secret.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { jsonOf } from '#protocol/json-of.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import type { SecretSource } from '#protocol/ports.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { signingKeysOf } from '#protocol/writer-keys.ts';
import type { Agent } from './agent.ts';
import { InitRefusedError } from './init-vault.ts';
import type { AgentKeys } from './keys.ts';

const CLOUD_WRITER = 'cloud';

/**
 * The secret of the cloud zone as it stands; `undefined` when the stack is fresh (no value, or the
 * placeholder it is made with).
 *
 * @throws {InitRefusedError} when a value stands there that is neither.
 */
export async function readCloudSecret(source: SecretSource): Promise<CloudSecret | undefined> {
  let text: string;
  try {
    text = await source.read();
  } catch (error) {
    if (hasNoValue(error)) return undefined;
    throw error;
  }
  const json = jsonOf(text);
  const parsed = CloudSecret.safeParse(json);
  if (parsed.success) return parsed.data;
  if (typeof json === 'object' && json !== null && 'signing' in json) {
    throw new InitRefusedError(
      'the secret of the cloud zone is damaged; restore an earlier version of it in Secrets Manager',
    );
  }
  return undefined;
}

/** A secret for the cloud zone: a signing key of its own, and of the vault keys only the shared ones. */
export function newCloudSecret(vaultId: string, keys: AgentKeys): CloudSecret {
  return CloudSecret.parse({
    vaultId,
    writer: CLOUD_WRITER,
    signing: newSigningKey(),
    keyring: keys.keyring.map(({ keyEpoch, shared }) => ({ keyEpoch, shared })),
    root: keys.signing.publicKey,
  });
}

/**
 * Checks that a secret belongs to this vault and these keys.
 *
 * @throws {InitRefusedError}
 */
export function checkCloudSecret(secret: CloudSecret, vaultId: string, root: string): void {
  if (secret.root !== root) {
    throw new InitRefusedError(
      'this stack belongs to a vault with another root key: use the config and keys it was set up with, or a stack of its own',
    );
  }
  if (secret.vaultId !== vaultId) {
    throw new InitRefusedError(
      `this stack is set up for the vault ${secret.vaultId}, the config says ${vaultId}: use the config that belongs to it`,
    );
  }
}

/**
 * Makes sure that the ledger begins with the keys in force, written and signed by this machine.
 *
 * @returns whether this call wrote the first entry.
 * @throws {InitRefusedError} when the ledger begins otherwise.
 * @throws {LedgerIntegrityError} when it is not the one that this machine saw before.
 */
export async function ensureGenesis(agent: Agent, secret: CloudSecret): Promise<boolean> {
  await pullOrRefuse(agent);
  const { config, keys, session } = agent;
  const outcome = await session.append((state) =>
    state.head.n > 0 ? undefined : { body: genesisBody(config, keys, secret) },
  );
  if (!signingKeysOf(session.state.keys, secret.writer).includes(secret.signing.publicKey)) {
    throw new InitRefusedError(
      "the cloud zone's key in Secrets Manager is not the one in the ledger: restore the secret's earlier version",
    );
  }
  return outcome.appended && outcome.entry.n === 1;
}

function genesisBody(
  config: Pick<Agent['config'], 'agent' | 'approver'>,
  keys: AgentKeys,
  secret: CloudSecret,
): LedgerBody {
  return {
    kind: 'keys',
    keyEpoch: 1,
    writers: [
      { writer: config.agent, zone: 'local', publicKey: keys.signing.publicKey },
      { writer: secret.writer, zone: 'cloud', publicKey: secret.signing.publicKey },
    ],
    approvers: [{ approver: config.approver, publicKey: keys.approval.publicKey }],
  };
}

async function pullOrRefuse(agent: Agent): Promise<void> {
  try {
    await agent.session.pull();
  } catch (cause) {
    if (!(cause instanceof LedgerIntegrityError) || cause.n !== 1) throw cause;
    throw new InitRefusedError(
      'the ledger of this stack was begun with another root key: use the config and keys it was set up with',
      { cause },
    );
  }
}

function hasNoValue(error: unknown): boolean {
  const { name, message } = error as Partial<Error>;
  return name === 'ResourceNotFoundException' && /AWSCURRENT|staging label/i.test(message ?? '');
}
