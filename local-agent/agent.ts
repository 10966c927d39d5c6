import path from 'node:path';
import { createClients } from '#adapters/aws-clients.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { createFileTaskStore } from '#adapters/file-task-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { createS3BlobInventory } from '#adapters/s3-blob-inventory.ts';
import { createS3BlobStore } from '#adapters/s3-blob-store.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { BlobInventory, BlobStore, Clock, Files, Ids, LedgerStore, TaskStore } from '#protocol/ports.ts';
import { readConfig } from './config.ts';
import type { EmployeeConfig } from './config.ts';
import { createGitHistory } from './git/git-history.ts';
import type { VaultHistory } from './git/history.ts';
import { loadKeys } from './keys.ts';
import type { AgentKeys } from './keys.ts';
import { LedgerCopy } from './ledger-copy.ts';
import { acquireLock } from './lock.ts';
import { createToolHost } from './mcp/host.ts';
import { createNodeFiles } from './files/node-files.ts';
import { beginAtCheckpoint, keepState, keptState } from './resume.ts';
import type { SyncProgress } from './sync/progress.ts';
import type { ToolHost } from './tool-host.ts';
import { requireReadable, writerOf } from './writer.ts';

export { requireReadable, writerOf } from './writer.ts';

/** Everything that a use case of the local zone works with. */
export interface AgentPorts {
  readonly config: EmployeeConfig;
  readonly keys: AgentKeys;
  readonly ledger: LedgerStore;
  readonly tasks: TaskStore;
  /** This machine's own, for claims while the shared one does not answer. */
  readonly localTasks?: TaskStore;
  readonly blobs: BlobStore;
  readonly inventory: BlobInventory;
  readonly files: Files;
  readonly tools: ToolHost;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly copy: LedgerCopy;
  /** Absent where the vault keeps none. */
  readonly history?: VaultHistory;
  readonly log: (line: string) => void;
  /** Told how far a sync has come; must not throw. */
  readonly progress?: (step: SyncProgress) => void;
}

/** The ports with the ledger's verified state, replayed from this machine's copy. */
export interface Agent extends AgentPorts {
  readonly session: LedgerSession;
}

/** Puts the ports together and replays the local copy of the ledger, from the last state kept on. */
export function makeAgent(ports: AgentPorts): Agent {
  const { config, copy } = ports;
  const start = keptState(copy, config.vaultId);
  const session = new LedgerSession(writerOf(ports), config.root, ports, requireReadable, {
    keep: (verified) => copy.keep(verified),
    ...(start ? { start } : {}),
  });
  let replayed = 0;
  // Behind a checkpoint that cannot be used any more, the first pull reads everything afresh.
  const replayable = start !== undefined || copy.begins() === 1;
  for (const entry of replayable ? copy.entries(session.state.head.n) : []) {
    session.replay(entry);
    replayed += 1;
  }
  keepState(copy, session.state, replayed);
  return { ...ports, session };
}

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
  const keys = await loadKeys(path.join(folder, 'keys.json'));
  const clients = createClients(config);
  const copy = new LedgerCopy(path.join(folder, 'ledger.db'), keys.keyring);
  const tools = createToolHost({ config, log, pinsFile: path.join(folder, 'tool-pins.json') });
  const ports: AgentPorts = {
    config,
    keys,
    ledger: createDynamoLedgerStore(clients.dynamodb, config.stack.ledgerTable),
    tasks: createDynamoTaskStore(clients.dynamodb, config.stack.tasksTable),
    localTasks: createFileTaskStore(path.join(folder, 'claims')),
    blobs: createS3BlobStore(clients.s3, config.stack.vaultBucket),
    inventory: createS3BlobInventory(clients.s3, config.stack.vaultBucket),
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
