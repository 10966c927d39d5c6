import path from 'node:path';
import { createClients } from '#adapters/aws-clients.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { createFileTaskStore } from '#adapters/file-task-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { createS3ArchiveReader } from '#adapters/s3-archive.ts';
import { createS3BlobInventory } from '#adapters/s3-blob-inventory.ts';
import { createS3BlobStore } from '#adapters/s3-blob-store.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { makeAgent } from './make-agent.ts';
import type { Agent, AgentPorts } from './agent.ts';
import { readConfig } from './config.ts';
import type { EmployeeConfig } from './config.ts';
import { createNodeFiles } from './files/node-files.ts';
import { createGitHistory } from './git/git-history.ts';
import { createKeyStore } from './key-store.ts';
import { keysFileOf, loadKeys } from './keys.ts';
import { LedgerCopy } from './ledger-copy.ts';
import { acquireLock } from './lock.ts';
import { createToolHost } from './mcp/host.ts';
import { beginAtCheckpoint } from './resume.ts';

/** An agent with what has to be given back at the end. */
export interface OpenAgent extends Agent {
  close(): Promise<void>;
}

interface OpenOptions {
  /** Stands in for the config's vault. */
  readonly vault?: string | undefined;
  readonly log?: (line: string) => void;
  readonly progress?: AgentPorts['progress'];
}

/**
 * Opens the agent that a config file describes, with the sole right to its state folder until `close`.
 *
 * @throws {ConfigError} {@link AgentBusyError} and what loading the keys throws.
 */
export async function openAgent(configFile: string, options: OpenOptions = {}): Promise<OpenAgent> {
  const config = await configOf(configFile, options);
  const lock = await acquireLock(folderOfState(configFile), options.log ?? (() => undefined));
  try {
    const agent = await assemble(config, configFile, options);
    const close = async (): Promise<void> => {
      await agent.close();
      lock.release();
    };
    return { ...agent, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * The same for a process that stays: nothing is locked, and the caller takes the lock for each piece of
 * work, which begins with a pull. What other processes append meanwhile comes with that pull.
 */
export async function openResidentAgent(configFile: string, options: OpenOptions = {}): Promise<OpenAgent> {
  return assemble(await configOf(configFile, options), configFile, options);
}

/** The folder of keys, ledger copy and lock: the config's own. */
export function folderOfState(configFile: string): string {
  return path.dirname(path.resolve(configFile));
}

async function configOf(configFile: string, { vault }: OpenOptions): Promise<EmployeeConfig> {
  const config = await readConfig(configFile);
  return vault === undefined ? config : { ...config, vault: path.resolve(vault) };
}

async function assemble(
  config: EmployeeConfig,
  configFile: string,
  options: OpenOptions,
): Promise<OpenAgent> {
  const log = options.log ?? (() => undefined);
  const folder = folderOfState(configFile);
  const keysFile = keysFileOf(path.resolve(configFile));
  const keys = await loadKeys(keysFile);
  const clients = createClients(config);
  const copy = new LedgerCopy(path.join(folder, 'ledger.db'), keys.keyring);
  const tools = createToolHost({ config, log, pinsFile: path.join(folder, 'tool-pins.json') });
  const { archiveBucket } = config.stack;
  const ports: AgentPorts = {
    config,
    keys,
    keyStore: createKeyStore(keysFile),
    ledger: createDynamoLedgerStore(clients.dynamodb, config.stack.ledgerTable),
    tasks: createDynamoTaskStore(clients.dynamodb, config.stack.tasksTable),
    localTasks: createFileTaskStore(path.join(folder, 'claims')),
    blobs: createS3BlobStore(clients.s3, config.stack.vaultBucket),
    inventory: createS3BlobInventory(clients.s3, config.stack.vaultBucket),
    ...(archiveBucket === undefined ? {} : { archive: createS3ArchiveReader(clients.s3, archiveBucket) }),
    files: createNodeFiles(config.vault),
    tools,
    clock: systemClock,
    ids: randomIds,
    copy,
    log,
    ...(options.progress ? { progress: options.progress } : {}),
  };
  await beginAtCheckpoint(ports);
  const agent = makeAgent(ports);
  return {
    ...agent,
    ...(config.git?.enabled === false ? {} : { history: createGitHistory(agent) }),
    async close() {
      await tools.close();
      clients.destroy();
      copy.close();
    },
  };
}
