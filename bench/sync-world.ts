import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AwsOptions } from '#adapters/client-options.ts';
import { openAgent, openResidentAgent } from '#local-agent/open-agent.ts';
import type { Agent } from '#local-agent/agent.ts';
import type { OpenAgent } from '#local-agent/open-agent.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { SyncReport } from '#local-agent/sync/sync.ts';
import { addMachine, machineIn, setUpFirstMachine, stackOfEmulators } from '#test/support/owner-machines.ts';
import type { OwnerMachine } from '#test/support/owner-machines.ts';
import { startRemoteEmulators } from './emulators.ts';
import type { RemoteEmulators } from './emulators.ts';

const PATIENCE_MS = 15_000;

/** Emulators and a folder to work in; vaults and machines are made as they are needed. */
export interface SyncWorld {
  readonly folder: string;
  readonly options: AwsOptions & RemoteEmulators['options'];
  /** A vault of its own with the first machine, as `employee init` makes it. `relayed`: its calls go by the relays. */
  firstMachine(name: string, relayed?: boolean): Promise<OwnerMachine>;
  /** A further machine of the same owner, empty. */
  addMachine(first: OwnerMachine, name: string): Promise<OwnerMachine>;
  /** A bucket of its own for a peer. */
  newBucket(): Promise<string>;
  /** Sets how long each call by the relays is held back. */
  delayCalls(delayMs: number): Promise<void>;
  /** Measures a piece of work: time, and what reached the emulators meanwhile. */
  measure(work: () => Promise<void>): Promise<Measured>;
  close(): Promise<void>;
}

/** What a piece of work cost. `bytes`: over the relays, both ways, headers and all. */
export interface Measured {
  readonly ms: number;
  readonly calls: number;
  readonly bytes: number;
}

/** Starts emulators in a process of their own. */
export async function createSyncWorld(): Promise<SyncWorld> {
  const emulators = await startRemoteEmulators();
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-sync-'));
  return {
    folder,
    options: emulators.options,
    async firstMachine(name, relayed = false) {
      const { secretArn = '' } = await emulators.ask({ newSecret: `secret-${name}-${randomUUID()}` });
      const options = relayed ? emulators.relayed : emulators.options;
      const machine = machineIn(folder, name);
      await setUpFirstMachine(stackOfEmulators(options, secretArn), machine);
      return machine;
    },
    async addMachine(first, name) {
      const machine = machineIn(folder, name);
      await addMachine(first, machine);
      return machine;
    },
    async newBucket() {
      const newBucket = `peer-${randomUUID()}`;
      await emulators.ask({ newBucket });
      return newBucket;
    },
    delayCalls: async (delayMs) => void (await emulators.ask({ delayMs })),
    async measure(work) {
      const before = await emulators.ask({});
      const startedMs = performance.now();
      await work();
      const ms = performance.now() - startedMs;
      const after = await emulators.ask({});
      return { ms, calls: after.calls - before.calls, bytes: after.bytes - before.bytes };
    },
    async close() {
      await emulators.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One sync by an agent that is opened for it, as `employee sync` does. */
export async function syncOnce(machine: OwnerMachine): Promise<SyncReport> {
  const agent = await openAgent(machine.configFile);
  try {
    return await syncVault(agent);
  } finally {
    await agent.close();
  }
}

/** An agent that stays, as the daemon has it, and how many bodies of the vault it has read. */
export interface ResidentAgent {
  sync(): Promise<SyncReport>;
  bodiesRead(): number;
  close(): Promise<void>;
}

/** Opens it. */
export async function openResident(machine: OwnerMachine): Promise<ResidentAgent> {
  const open: OpenAgent = await openResidentAgent(machine.configFile);
  let bodies = 0;
  const files = new Proxy(open.files, {
    get(target, member, self) {
      // Whatever reads a body counts; how it is called is the port's business.
      if (typeof member === 'string' && /^(read|hash)/.test(member)) bodies += 1;
      return Reflect.get(target, member, self) as unknown;
    },
  });
  const agent: Agent = { ...open, files };
  return { sync: () => syncVault(agent), bodiesRead: () => bodies, close: () => open.close() };
}

/**
 * Syncs until no body is read any more. A file that was written within the clock's grain of a scan may have changed
 * again unseen and is looked at once more; a vault that stood for a while has none of those.
 *
 * @throws when there is no end of it.
 */
export async function settle(agent: ResidentAgent): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const before = agent.bodiesRead();
    await agent.sync();
    if (agent.bodiesRead() === before) return;
    if (performance.now() > until) throw new Error('bodies are read in every sync');
    await delay(200);
  }
}
