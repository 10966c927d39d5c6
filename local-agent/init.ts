import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createClients } from '#adapters/aws-clients.ts';
import { createSecretSource, writeSecret } from '#adapters/secrets-manager-secret.ts';
import type { CloudSecret } from '#protocol/cloud-secret.ts';
import { WriterName } from '#protocol/ids.ts';
import { openAgent } from './open-agent.ts';
import { EmployeeConfig, readConfig } from './config.ts';
import { removeLeftovers, replaceFile } from './durable-file.ts';
import { UsageError } from './exit-codes.ts';
import { checkCloudSecret, ensureGenesis, newCloudSecret, readCloudSecret } from './init-cloud.ts';
import type { StackAccess } from './init-stack-file.ts';
import { addStarterFiles, InitRefusedError, inspectVaultFolder, makeVaultFolders } from './init-vault.ts';
import type { VaultFolder } from './init-vault.ts';
import { createKeys, keysFileOf, loadKeys } from './keys.ts';
import type { AgentKeys } from './keys.ts';
import { acquireLock } from './lock.ts';
import { syncVault } from './sync/sync.ts';

const APPROVER = 'owner';
/** Services on this machine answer at once and cost nothing. */
const LOCAL_POLL_MS = 400;

/** What to set up, and where. Paths are absolute. */
export interface InitRequest {
  readonly stack: StackAccess;
  readonly configFile: string;
  readonly vault: string | undefined;
  readonly agent: string | undefined;
  /** Take a folder that holds files and is no Obsidian vault. */
  readonly adopt: boolean;
}

/** What a run of init made; empty lists mean that everything was there already. */
export interface InitReport {
  readonly configFile: string;
  readonly keysFile: string;
  readonly vault: string;
  readonly vaultId: string;
  readonly agent: string;
  readonly made: readonly string[];
  readonly starterFiles: readonly string[];
  readonly pushed: number;
  readonly head: number;
}

/**
 * Sets up keys, config, the cloud zone's secret, the ledger's first entry and the vault, in that order:
 * each step is durable before the next refers to it. Any step may be the last one of a run that was
 * killed; the next run completes it. Nothing that exists is replaced.
 *
 * @throws {InitRefusedError} {@link UsageError} {@link PersonNeededError}
 */
export async function initEmployee(request: InitRequest, log: (line: string) => void): Promise<InitReport> {
  const made: string[] = [];
  const folder = path.dirname(request.configFile);
  const lock = await acquireLock(folder, log);
  let ready: SetUp;
  try {
    ready = await setUp(request, made);
  } finally {
    lock.release();
  }
  const { config, secret, found } = ready;
  const agent = await openAgent(request.configFile, { log });
  try {
    if (await ensureGenesis(agent, secret)) made.push('the first entry of the ledger');
    // Before the first sync nobody can have removed a starter file on purpose; later they may have.
    const first = agent.session.state.files.size === 0;
    if (!first && found !== 'ours') throw vaultGone(config.vault, agent.session.state.files.size);
    await makeVaultFolders(config.vault, config.vaultId);
    const starterFiles = first ? await addStarterFiles(config.vault) : [];
    const report = await syncVault(agent);
    return {
      configFile: request.configFile,
      keysFile: keysFileOf(request.configFile),
      vault: config.vault,
      vaultId: config.vaultId,
      agent: config.agent,
      made,
      starterFiles,
      pushed: report.pushed,
      head: report.head,
    };
  } finally {
    await agent.close();
  }
}

interface SetUp {
  readonly config: EmployeeConfig;
  readonly secret: CloudSecret;
  /** What the vault's folder was before. */
  readonly found: VaultFolder;
}

async function setUp(request: InitRequest, made: string[]): Promise<SetUp> {
  const { stack, configFile } = request;
  const keysFile = keysFileOf(configFile);
  for (const file of [keysFile, configFile]) await removeLeftovers(file);
  const before = existsSync(configFile) ? await readConfig(configFile) : undefined;
  refuseOther(before, request);
  const vault = request.vault ?? before?.vault;
  if (vault === undefined) throw new UsageError('name the folder that is to be the vault: --vault DIR');
  const clients = createClients({
    region: stack.region,
    endpoints: stack.endpoints,
    credentials: stack.credentials?.owner,
    profile: stack.profiles?.owner,
  });
  try {
    const source = createSecretSource(clients.secrets, stack.stack.vaultSecretArn);
    const current = await readCloudSecret(source);
    const vaultId = before?.vaultId ?? (await ourVaultId(current, keysFile)) ?? randomUUID();
    const found = await inspectVaultFolder(vault, { vaultId, configFile, adopt: request.adopt });
    if (before && vault !== before.vault && found !== 'ours') throw otherVault(before.vault, vault);
    // With a config there were keys: new ones in their place would lock the owner out for good.
    const { keys, created } = before
      ? { keys: await loadKeys(keysFile), created: false }
      : await createKeys(keysFile);
    if (created) made.push('keys');
    const config = await writeConfig(request, { before, vault, vaultId, keys });
    if (!before) made.push('config');
    if (current) {
      checkCloudSecret(current, vaultId, config.root);
      return { config, secret: current, found };
    }
    if (config.root !== keys.signing.publicKey) {
      throw new InitRefusedError(
        'the stack is fresh, and only the machine that made the vault can set it up',
      );
    }
    const secret = newCloudSecret(vaultId, keys);
    await writeSecret(clients.secrets, stack.stack.vaultSecretArn, JSON.stringify(secret));
    made.push("the cloud zone's secret");
    return { config, secret, found };
  } finally {
    clients.destroy();
  }
}

function refuseOther(before: EmployeeConfig | undefined, request: InitRequest): void {
  if (before && request.agent !== undefined && request.agent !== before.agent) {
    throw new InitRefusedError(
      `this machine is known to the ledger as "${before.agent}" and cannot become "${request.agent}"`,
    );
  }
  if (
    request.agent !== undefined &&
    (!WriterName.safeParse(request.agent).success || request.agent === 'cloud')
  ) {
    throw new UsageError(
      `--agent ${request.agent}: a name is lower-case letters, digits and "-", and not "cloud"`,
    );
  }
}

/** After a crash between secret and config, the secret knows which vault these keys began. */
async function ourVaultId(current: CloudSecret | undefined, keysFile: string): Promise<string | undefined> {
  if (!current) return undefined;
  const keys = existsSync(keysFile) ? await loadKeys(keysFile) : undefined;
  checkCloudSecret(current, current.vaultId, keys?.signing.publicKey ?? '');
  return current.vaultId;
}

async function writeConfig(
  request: InitRequest,
  known: {
    readonly before: EmployeeConfig | undefined;
    readonly vault: string;
    readonly vaultId: string;
    readonly keys: AgentKeys;
  },
): Promise<EmployeeConfig> {
  const { stack, configFile } = request;
  const { before, vault, vaultId, keys } = known;
  const config = EmployeeConfig.parse({
    ...(stack.endpoints ? { pollMs: LOCAL_POLL_MS } : {}),
    ...before,
    version: 1,
    vaultId,
    agent: before?.agent ?? request.agent ?? machineName(),
    approver: before?.approver ?? APPROVER,
    root: before?.root ?? keys.signing.publicKey,
    vault,
    // These may change with each start of a local cloud.
    region: stack.region,
    stack: stack.stack,
    endpoints: stack.endpoints,
    credentials: stack.credentials?.agent,
    ...(stack.profiles ? { profile: stack.profiles.agent ?? before?.profile ?? stack.profiles.owner } : {}),
  });
  await mkdir(path.dirname(configFile), { recursive: true, mode: 0o700 });
  await replaceFile(configFile, `${JSON.stringify(config, null, 2)}\n`, 0o600);
  return config;
}

function otherVault(before: string, now: string): InitRefusedError {
  return new InitRefusedError(
    `the vault of this config is ${before}: to have it at ${now}, move that whole folder there and run init again`,
  );
}

function vaultGone(vault: string, files: number): InitRefusedError {
  return new InitRefusedError(
    `the ledger knows ${files} files of the vault ${vault}, and that folder is gone or empty: put it back, or name where it is now with --vault`,
  );
}

/** @example 'Anna’s MacBook.local' → 'anna-s-macbook' */
function machineName(): string {
  const [first = ''] = os.hostname().toLowerCase().split('.');
  const name = first
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 32);
  return WriterName.safeParse(name).success && name !== 'cloud' ? name : 'laptop';
}
