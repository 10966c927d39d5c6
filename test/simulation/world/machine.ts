import { VaultMissingError } from '#local-agent/files/disk-error.ts';
import { makeAgent } from '#local-agent/make-agent.ts';
import type { Agent, AgentPorts } from '#local-agent/agent.ts';
import { createClaimObserver } from '#local-agent/claims/observe-claims.ts';
import { makePass } from '#local-agent/pass.ts';
import type { Snapshot } from '#local-agent/pass.ts';
import { beginAtCheckpoint } from '#local-agent/resume.ts';
import { SENTINEL } from '#local-agent/sync/sentinel.ts';
import { lastWithheld } from '#local-agent/withheld-list.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import { createMemoryFiles } from '#test/support/memory/memory-files.ts';
import type { MemoryFiles } from '#test/support/memory/memory-files.ts';
import { createMemoryTaskStore } from '#test/support/memory/memory-task-store.ts';
import type { MemoryTaskStore } from '#test/support/memory/memory-task-store.ts';
import type { KeyStore } from '#local-agent/key-store.ts';
import type { VersionBook } from '#test/support/version-book.ts';
import { drawsOf, waitMs } from '../kernel/draws.ts';
import type { Draw } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { SIMULATED_ROOT } from '../kernel/one-thread.ts';
import { Host } from '../kernel/process.ts';
import type { ProcessEnd, SimProcess } from '../kernel/process.ts';
import type { Cloud } from './cloud.ts';
import { archiveOf } from './archive-of.ts';
import { CopyDisk } from './copy-disk.ts';
import { inventoryOf } from './inventory.ts';
import { KeyDisk } from './key-disk.ts';
import { firstKeysOf, signingKeyOf, VAULT_ID } from './keys.ts';
import { refuseDefect } from './refuse-defect.ts';
import type { MailServer } from './mail-server.ts';
import { MachineLock } from './machine-lock.ts';
import { OWN_ADDRESS } from './mails.ts';

/** The methods of the copy that write; at each of them the machine may die or find its disk full. */
const COPY_WRITES = new Set([
  'together',
  'keep',
  'setBegins',
  'setSnapshot',
  'setAgreed',
  'setNoteAt',
  'setStats',
  'journal',
  'noteClaim',
  'setProved',
  'setFact',
]);
/** The same of its file of keys. */
const KEY_WRITES = new Set(['write', 'backUp']);
const MEAN_RESTART_MS = 120_000;

/** What all machines of the owner share. */
export interface MachineSurroundings {
  readonly kernel: Kernel;
  readonly cloud: Cloud;
  readonly mailServer: MailServer;
  readonly book: VersionBook;
  readonly seed: number;
  /** How long a daemon rests before its next pass. */
  readonly restMs: (draw: Draw) => number;
}

/** One of the owner's machines: vault, copy of the ledger and clocks outlive the processes that run on it. */
export class Machine {
  readonly name: string;
  readonly host: Host;
  readonly files: MemoryFiles = createMemoryFiles({
    onStep: () => {
      if (!this.isMounted) throw new VaultMissingError(`the vault of ${this.name} is not mounted`);
    },
  });
  readonly disk = new CopyDisk();
  /** Its own store of claims, for when the shared one does not answer. */
  readonly localTasks: MemoryTaskStore = createMemoryTaskStore();
  /** The file of its keys, and the copies beside it. */
  readonly keys: KeyDisk;
  readonly lock = new MachineLock();
  isMounted = true;
  /** Passes that were made to their end, and what the last failed one said. */
  passes = 0;
  problem: unknown;
  /** What was told to the person, in order. */
  readonly told: string[] = [];
  readonly #processes = new Set<SimProcess>();
  #daemon: SimProcess | undefined;
  #starts = 0;
  #rests = 0;
  readonly #in: MachineSurroundings;

  constructor(name: string, surroundings: MachineSurroundings) {
    this.name = name;
    this.host = new Host(name);
    this.keys = new KeyDisk(firstKeysOf(name));
    this.#in = surroundings;
    this.files.person.save(SENTINEL, JSON.stringify({ vaultId: VAULT_ID }));
  }

  /** Starts the daemon, which is started again whenever it dies. */
  startDaemon(): void {
    const { kernel, seed } = this.#in;
    const process = kernel.start(this.name, this.host, (self) => this.#run(self));
    this.#daemon = process;
    process.onEnd(({ how, error }: ProcessEnd) => {
      if (how === 'failed') refuseDefect(kernel, error);
      const restMs = waitMs(drawsOf(seed, 'restart', this.name, ++this.#starts), MEAN_RESTART_MS);
      kernel.scheduler.in(restMs, () => {
        if (this.#daemon === process) this.startDaemon();
      });
    });
  }

  /** Ends every program on it. */
  cutPower(why: string): void {
    for (const process of this.#processes) this.#in.kernel.kill(process, why);
  }

  /** Runs a command of the command line, under the machine's lock. */
  command<T>(
    name: string,
    work: (agent: Agent & { readonly keyStore: KeyStore }, process: SimProcess) => Promise<T>,
  ): Promise<T> {
    return this.#program(name, async (self) => {
      await this.lock.acquire(self);
      const agent = await this.#open(self);
      return work({ ...agent, keyStore: this.#keyStoreOf(self) }, self);
    });
  }

  /** The same for what only looks, without the lock. */
  look<T>(name: string, work: (agent: Agent) => Promise<T>): Promise<T> {
    return this.#program(name, async (self) => work(await this.#open(self)));
  }

  /** Runs a command that needs nothing but the file of keys, under the machine's lock. */
  keyCommand<T>(name: string, work: (store: KeyStore) => T): Promise<T> {
    return this.#program(name, async (self) => {
      await this.lock.acquire(self);
      return work(this.#keyStoreOf(self));
    });
  }

  #program<T>(name: string, main: (process: SimProcess) => Promise<T>): Promise<T> {
    const { kernel } = this.#in;
    return new Promise<T>((resolve, reject) => {
      const process = kernel.start(`${this.name}-${name}`, this.host, async (self) => {
        this.#processes.add(self);
        resolve(await main(self));
      });
      process.onEnd(({ error }) => {
        this.#processes.delete(process);
        reject(error instanceof Error ? error : new Error(`${name} ended early`));
      });
    });
  }

  /** What stands in the vault, but for hidden files. */
  tree(): ReadonlyMap<string, string> {
    const { person } = this.files;
    const shown = person.paths().filter((path) => !/(^|\/)\./.test(path));
    return new Map(shown.map((path) => [path, person.text(path) ?? '']));
  }

  async #run(process: SimProcess): Promise<void> {
    const { kernel, book, seed, restMs } = this.#in;
    this.#processes.add(process);
    process.onEnd(() => this.#processes.delete(process));
    const agent = await this.#open(process);
    const observer = createClaimObserver();
    let snapshot: Snapshot | undefined;
    for (;;) {
      await this.lock.acquire(process);
      const completed = book.syncBegins(this.name);
      try {
        const report = await makePass(agent, snapshot, observer);
        snapshot = report.snapshot;
        const left = lastWithheld(agent.copy).map(({ path }) => this.files.person.text(path) ?? '');
        completed(new Set(left.map(sha256Hex)));
        this.passes += 1;
        this.problem = undefined;
        this.told.push(...report.lines);
      } catch (error) {
        this.problem = error;
        refuseDefect(kernel, error);
      } finally {
        this.lock.release(process);
      }
      await kernel.sleep(process, restMs(drawsOf(seed, 'rest', this.name, ++this.#rests)));
    }
  }

  #keyStoreOf(process: SimProcess): KeyStore {
    return this.#in.kernel.database(process, 'keys', this.keys, KEY_WRITES);
  }

  async #open(process: SimProcess): Promise<Agent> {
    const { kernel, cloud, mailServer } = this.#in;
    const keyStore = this.#keyStoreOf(process);
    const keys = keyStore.read();
    const copy = this.disk.open(keys.keyring);
    process.onEnd(() => copy.close());
    const ports: AgentPorts = {
      config: {
        version: 1,
        vaultId: VAULT_ID,
        agent: this.name,
        approver: 'owner',
        vault: `${SIMULATED_ROOT}${this.name}`,
        region: 'eu-central-1',
        stack: OUTPUTS,
        root: signingKeyOf('laptop').publicKey,
        pollMs: 1000,
        deskPort: 0,
      },
      keys,
      keyStore,
      ledger: kernel.port(process, 'ledger', cloud.ledger),
      tasks: kernel.port(process, 'tasks', cloud.tasks),
      localTasks: kernel.port(process, 'localTasks', this.localTasks, 'disk'),
      blobs: kernel.port(process, 'blobs', cloud.blobs),
      inventory: inventoryOf(kernel, process, cloud.blobs),
      archive: archiveOf(kernel, process, cloud.archive),
      files: kernel.port(process, 'files', this.files, 'disk'),
      tools: mailServer.toolsOf(process),
      clock: kernel.clock(process),
      ids: createCountingIds(`an-id-of-${process.name}-${kernel.unique()}-`),
      copy: kernel.database(process, 'copy', copy, COPY_WRITES),
      log: (line: string) => void this.told.push(line),
    };
    await beginAtCheckpoint(ports);
    return makeAgent(ports);
  }
}

const OUTPUTS = {
  tasksTable: 'tasks',
  ledgerTable: 'ledger',
  vaultBucket: 'vault',
  vaultSecretArn: 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:vault',
  fromAddress: OWN_ADDRESS,
  ownAddresses: [OWN_ADDRESS],
};
