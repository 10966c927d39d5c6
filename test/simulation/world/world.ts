import { createHash } from 'node:crypto';
import { createTemplateModel } from '#adapters/template-model.ts';
import { SENTINEL } from '#local-agent/sync/sentinel.ts';
import { makeEntry, GENESIS_PREV } from '#protocol/ledger-entry.ts';
import { VersionBook } from '#test/support/version-book.ts';
import type { Call, Fate, FateOf } from '../kernel/fate.ts';
import { CALM } from '../kernel/fate.ts';
import { Kernel } from '../kernel/kernel.ts';
import { takeStage } from '../kernel/one-thread.ts';
import { Host, running, SimProcess } from '../kernel/process.ts';
import { Trace } from '../kernel/trace.ts';
import type { Moment, Plan } from '../plan.ts';
import { createCloud } from './cloud.ts';
import type { Cloud } from './cloud.ts';
import type { KeptRotation } from './key-keeper.ts';
import { OWN_KEYRING, signingKeyOf, VAULT_ID } from './keys.ts';
import { refuseDefect } from './refuse-defect.ts';
import { Machine } from './machine.ts';
import { restOf } from './rest.ts';
import { createMailServer } from './mail-server.ts';
import type { MailServer } from './mail-server.ts';
import { obedientModel } from './obedient-model.ts';

/** One simulated world: the cloud, the owner's machines, and what they share. */
export interface World {
  readonly plan: Plan;
  readonly kernel: Kernel;
  readonly cloud: Cloud;
  readonly mailServer: MailServer;
  readonly machines: ReadonlyMap<string, Machine>;
  /** What a person wrote and must not be lost. */
  readonly book: VersionBook;
  /** The same by the hash of each version. */
  readonly written: Map<string, string>;
  /** Every yes that a person gave, at which machine and to what. */
  readonly wills: Set<string>;
  /** Entries that an attacker wrote and `verify` has to name. */
  readonly forged: number[];
  /** Machines whose copy of the ledger came back from a backup, so that their journal of calls is not whole; see also `THE_ITEMS`. */
  readonly restored: Set<string>;
  /** Each time that the ledger's table was put back to another state: how many of its first rows stayed. */
  readonly putBacks: number[];
  /** What became of the rotations of keys that a person began. */
  readonly rotations: { begun: number; readonly complete: KeptRotation[]; handedOver: number };
  /** What a command told the person who did a deed, where it refused or failed. */
  told(deed: Pick<Moment, 'id'>, error: unknown): void;
  /** From now on nothing fails any more. */
  calm(): void;
  dispose(): void;
}

export interface WorldOptions {
  readonly fateOf: FateOf;
  readonly keeps?: ConstructorParameters<typeof Trace>[0];
}

/** Makes a world with empty vaults and the entry of keys. Only one can be on stage at a time. */
export function createWorld(plan: Plan, { fateOf, keeps = 'nothing' }: WorldOptions): World {
  let isCalm = false;
  const fate = (call: Call): Fate => (isCalm ? CALM : fateOf)(call);
  const kernel = new Kernel(new Trace(keeps), fate);
  const cloud = createCloud(kernel, plan, plan.obedientModel ? obedientModel : createTemplateModel());
  const mailServer = createMailServer(kernel, plan);
  const book = new VersionBook();
  const { seed } = plan;
  const surroundings = {
    kernel,
    cloud,
    mailServer,
    book,
    seed,
    restMs: restOf(plan, kernel.scheduler, () => isCalm),
  };
  const machines = new Map(plan.machines.map((name) => [name, new Machine(name, surroundings)]));
  const take = (randomBytes: (size: number) => Buffer): (() => void) =>
    takeStage({
      scheduler: kernel.scheduler,
      readText: (path) => sentinelOf(machines, path),
      randomBytes,
    });
  // Every later entry names the one before it, down to this one: its random bytes are the seed's, too.
  const leaveFounding = take(seededBytes(`${seed}/founding`));
  const entry = running.run(new SimProcess('founder', new Host('laptop')), () => firstEntry(plan.machines));
  leaveFounding();
  cloud.ledger.rows.push({ vaultId: VAULT_ID, n: 1, entry });
  const leaveStage = take(seededBytes(`${seed}`));
  return {
    plan,
    kernel,
    cloud,
    mailServer,
    machines,
    book,
    written: new Map(),
    wills: new Set(),
    forged: [],
    restored: new Set(),
    putBacks: [],
    rotations: { begun: 0, complete: [], handedOver: 0 },
    told: ({ id }, error) => {
      const words = error instanceof Error ? error.message : String(error);
      kernel.trace.note(kernel.scheduler.nowMs, id, `was told: ${words.slice(0, 160)}`);
      refuseDefect(kernel, error);
    },
    calm: () => {
      isCalm = true;
    },
    dispose: () => {
      leaveStage();
      for (const machine of machines.values()) machine.disk.close();
    },
  };
}

function firstEntry(names: readonly string[]): unknown {
  const root = signingKeyOf('laptop');
  return makeEntry(
    { n: 0, hash: GENESIS_PREV },
    {
      body: {
        kind: 'keys',
        keyEpoch: 1,
        writers: [
          ...names.map((writer) => ({
            writer,
            zone: 'local' as const,
            publicKey: signingKeyOf(writer).publicKey,
          })),
          { writer: 'cloud', zone: 'cloud', publicKey: signingKeyOf('cloud').publicKey },
        ],
        approvers: [{ approver: 'owner', publicKey: signingKeyOf('owner').publicKey }],
      },
    },
    { vaultId: VAULT_ID, writer: 'laptop', signingKey: root, keyring: [...OWN_KEYRING] },
    { at: '2026-11-21T07:00:00.000Z', attempt: 'the-entry-of-keys' },
  );
}

function sentinelOf(machines: ReadonlyMap<string, Machine>, path: string): string | undefined {
  const [name = '', ...rest] = path.split('/');
  const machine = machines.get(name);
  return machine?.isMounted && rest.join('/') === SENTINEL ? machine.files.person.text(SENTINEL) : undefined;
}

function seededBytes(seed: string): (size: number) => Buffer {
  let count = 0;
  return (size) => {
    const parts: Buffer[] = [];
    for (let bytes = 0; bytes < size; bytes += 32)
      parts.push(createHash('sha256').update(`${seed}/${++count}`).digest());
    return Buffer.concat(parts).subarray(0, size);
  };
}
