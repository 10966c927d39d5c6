import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createClients } from '#adapters/aws-clients.ts';
import { callerIdentity } from '#adapters/caller-identity.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { createS3ArchiveReader } from '#adapters/s3-archive.ts';
import { createS3BlobStore } from '#adapters/s3-blob-store.ts';
import { createSecretSource } from '#adapters/secrets-manager-secret.ts';
import { BlobMissingError } from '#protocol/errors.ts';
import { LedgerEntry } from '#protocol/ledger-entry.ts';
import { parsePolicy } from '#protocol/policy.ts';
import { parseTemplate } from '#protocol/template.ts';
import { archiveCheck } from './archive-check.ts';
import { readConfig } from './config.ts';
import type { EmployeeConfig } from './config.ts';
import type { ConfigLocation } from './config-location.ts';
import { errorText } from './error-text.ts';
import { createGit } from './git/git-command.ts';
import { GitSettings } from './git/git-settings.ts';
import { checkHistory } from './git/history-check.ts';
import { gitVersion } from './git/repository.ts';
import { readCloudSecret } from './init-cloud.ts';
import { keysFileOf, loadKeys } from './keys.ts';
import { copyChecks } from './copy-checks.ts';
import { credentialChecks } from './credential-checks.ts';
import type { Check } from './doctor-check.ts';
import { copyFileOf } from './repair/damaged-copy.ts';
import { checkSentinel } from './sync/sentinel.ts';

const MIN_NODE_MAJOR = 24;
/** AWS refuses signatures that are more than five minutes off. */
const MAX_SKEW_MS = 60_000;

/**
 * Checks everything that can be wrong on this machine and with the stack. Changes nothing, needs no lock,
 * and goes on after a problem as far as it makes sense.
 */
export async function runDoctor(location: ConfigLocation): Promise<Check[]> {
  const checks: Check[] = [nodeCheck(), await gitCheck()];
  const config = await attempt(
    checks,
    'config',
    'run "employee init", or name the right one with --config',
    async () => {
      const read = await readConfig(location.configFile);
      return { value: read, detail: `${location.configFile} (${location.because})` };
    },
  );
  if (!config) return checks;
  const here = location.vault === undefined ? config : { ...config, vault: location.vault };
  await attempt(checks, 'keys', 'put your backup of keys.json back, or mend its mode', async () => {
    const keys = await loadKeys(keysFileOf(location.configFile));
    if (config.root !== keys.signing.publicKey) return { value: keys, detail: 'a machine that joined later' };
    return { value: keys, detail: 'these keys made the vault' };
  });
  const lostVault = `mount its disk, or name the right folder with --vault; if it is lost, "employee repair --restore-vault ${here.vault}" shows how it comes back`;
  await attempt(checks, 'vault', lostVault, async () => {
    await checkSentinel({ config: here });
    return { value: true, detail: here.vault };
  });
  checks.push(...copyChecks(copyFileOf(location.configFile)));
  await vaultFileChecks(checks, here.vault);
  if (checks.every(({ name, ok }) => name !== 'git' || ok)) await historyCheck(checks, here);
  await cloudChecks(checks, here);
  return checks;
}

function nodeCheck(): Check {
  const ok = Number(process.versions.node.split('.')[0]) >= MIN_NODE_MAJOR;
  const name = 'node';
  if (ok) return { name, ok, detail: process.version };
  return {
    name,
    ok,
    detail: process.version,
    fix: 'start it as "npx employee", which brings the Node that it needs',
  };
}

async function historyCheck(checks: Check[], config: EmployeeConfig): Promise<void> {
  const fix = 'do what it says; everything but the history works without';
  await attempt(checks, 'history', fix, async () => {
    const detail = await checkHistory(config.vault, GitSettings.parse(config.git ?? {}));
    return { value: true, detail };
  });
}

async function gitCheck(): Promise<Check> {
  const name = 'git';
  try {
    const [major, minor] = await gitVersion(createGit(process.cwd(), process.env));
    return { name, ok: true, detail: `${major}.${minor}` };
  } catch (error) {
    const fix = 'install or update git: it keeps the history of the vault, and everything else works without';
    return { name, ok: false, detail: problemOf(error), fix };
  }
}

async function vaultFileChecks(checks: Check[], vault: string): Promise<void> {
  await attempt(checks, 'Policy.yaml', 'mend the line named; nothing is approved until then', async () => {
    const text = await readFile(path.join(vault, 'Policy.yaml'), 'utf8').catch(ignoreMissing);
    if (text === undefined) return { value: true, detail: 'none: the default policy holds' };
    parsePolicy(text);
    return { value: true, detail: 'read' };
  });
  await attempt(checks, 'Templates', 'mend the file named; drafts do without it until then', async () => {
    const folder = path.join(vault, 'Templates');
    const names = (await readdir(folder).catch(ignoreMissing)) ?? [];
    const files = names.filter((name) => name.endsWith('.md'));
    for (const name of files) {
      try {
        parseTemplate(await readFile(path.join(folder, name), 'utf8'));
      } catch (error) {
        throw new Error(`Templates/${name}: ${errorText(error).message}`, { cause: error });
      }
    }
    return { value: true, detail: `${files.length} templates` };
  });
}

async function cloudChecks(checks: Check[], config: EmployeeConfig): Promise<void> {
  const { region, endpoints, credentials, profile, stack, vaultId } = config;
  const clients = createClients({
    region,
    ...(endpoints ? { endpoints } : {}),
    ...(credentials ? { credentials } : {}),
    ...(profile === undefined ? {} : { profile }),
  });
  const fix = endpoints
    ? 'start the local cloud: npm start'
    : 'sign in to AWS, and check "profile" and "region" in the config';
  try {
    const identity = await attempt(checks, 'account', fix, async () => {
      const found = await callerIdentity(clients.sts);
      return { value: found, detail: found.arn };
    });
    // Without an answer to that, each of the next would wait for the same silence.
    if (!identity) return;
    checks.push(clockCheck(identity.serviceTime));
    checks.push(...(await credentialChecks(clients, identity.arn, config)));
    await attempt(
      checks,
      'tasks table',
      `check that ${stack.tasksTable} exists and this machine may read it`,
      async () => {
        await createDynamoTaskStore(clients.dynamodb, stack.tasksTable).get(`t${'0'.repeat(20)}`);
        return { value: true, detail: stack.tasksTable };
      },
    );
    await attempt(
      checks,
      'ledger',
      'run "employee init" again; if it persists, this is not the stack of this vault',
      async () => {
        const { entries } = await createDynamoLedgerStore(clients.dynamodb, stack.ledgerTable).read(
          vaultId,
          0,
        );
        const first = LedgerEntry.safeParse(entries[0]);
        if (!first.success) throw new Error(`${stack.ledgerTable} has no ledger of vault ${vaultId}`);
        return { value: true, detail: `begun ${first.data.at} by ${first.data.writer}` };
      },
    );
    await attempt(
      checks,
      'vault bucket',
      `check that ${stack.vaultBucket} exists and this machine may read it`,
      async () => {
        await createS3BlobStore(clients.s3, stack.vaultBucket).get('0'.repeat(64)).catch(ignoreMissingBlob);
        return { value: true, detail: stack.vaultBucket };
      },
    );
    const bucket = stack.archiveBucket;
    const archive = bucket === undefined ? undefined : createS3ArchiveReader(clients.s3, bucket);
    checks.push(await archiveCheck(archive, { vaultId, bucket }));
    await attempt(
      checks,
      "cloud's secret",
      'restore the earlier version of the secret in Secrets Manager',
      async () => {
        const detail = await secretDetail(createSecretSource(clients.secrets, stack.vaultSecretArn), config);
        return { value: true, detail };
      },
    );
  } finally {
    clients.destroy();
  }
}

function clockCheck(serviceTime: string | undefined): Check {
  const name = 'clock';
  if (serviceTime === undefined) return { name, ok: true, detail: 'the service did not say its time' };
  const skewMs = Date.now() - Date.parse(serviceTime);
  const detail = `${(skewMs / 1000).toFixed(1)} s from the service`;
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return { name, ok: true, detail };
  return {
    name,
    ok: false,
    detail,
    fix: 'set the clock of this machine (turn on automatic time): AWS refuses what is signed off time',
  };
}

async function secretDetail(
  source: ReturnType<typeof createSecretSource>,
  config: EmployeeConfig,
): Promise<string> {
  let secret;
  try {
    secret = await readCloudSecret(source);
  } catch (error) {
    // Least privilege: the agent's role has no need to read the cloud zone's signing key.
    if (/AccessDenied/.test((error as Error).name)) return 'not for this machine to read, as it should be';
    throw error;
  }
  if (!secret) throw new Error('the secret was never set: run "employee init"');
  if (secret.vaultId !== config.vaultId)
    throw new Error(`the secret is of vault ${secret.vaultId}, the config of ${config.vaultId}`);
  if (secret.root !== config.root) throw new Error('the secret names another root key than the config');
  return 'of this vault';
}

async function attempt<T>(
  checks: Check[],
  name: string,
  fix: string,
  check: () => Promise<{ readonly value: T; readonly detail: string }>,
): Promise<T | undefined> {
  try {
    const { value, detail } = await check();
    checks.push({ name, ok: true, detail });
    return value;
  } catch (error) {
    checks.push({ name, ok: false, detail: problemOf(error), fix });
    return undefined;
  }
}

function problemOf(error: unknown): string {
  const { code, message } = errorText(error);
  return code === 'INTERNAL' && error instanceof Error ? error.message : message;
}

function ignoreMissing(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}

/** The blob asked for never exists; S3 says so, or hides it from those who may not list. */
function ignoreMissingBlob(error: unknown): void {
  // Without the right to list a bucket, S3 says "denied" of an object that is not there.
  const isDenied = error instanceof Error && error.name === 'AccessDenied';
  if (!(error instanceof BlobMissingError) && !isDenied) throw error;
}
