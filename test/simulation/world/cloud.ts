import { createCheckpointStart } from '#adapters/checkpoint-start.ts';
import { draftBatch } from '#lambdas/draft/draft.ts';
import { createZoneSource, StaleKeysError } from '#lambdas/runtime/zone-session.ts';
import type { ZoneSource } from '#lambdas/runtime/zone-session.ts';
import { triageBatch } from '#lambdas/triage/triage.ts';
import type { DraftRequest } from '#protocol/draft-request.ts';
import type { Delivery } from '#protocol/mail.ts';
import type { Model } from '#protocol/ports.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import { createMemoryArchive } from '#test/support/memory/memory-archive.ts';
import type { MemoryArchive } from '#test/support/memory/memory-archive.ts';
import { createMemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';
import type { MemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';
import { createMemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import type { MemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import { createMemoryMailSource } from '#test/support/memory/memory-mail-source.ts';
import type { MemoryMailSource } from '#test/support/memory/memory-mail-source.ts';
import { createMemoryTaskStore } from '#test/support/memory/memory-task-store.ts';
import type { MemoryTaskStore } from '#test/support/memory/memory-task-store.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimProcess } from '../kernel/process.ts';
import { Host } from '../kernel/process.ts';
import type { Plan } from '../plan.ts';
import { archivedLedger } from './archive-of.ts';
import { FunctionFleet } from './function-fleet.ts';
import type { Invoke } from './function-fleet.ts';
import { CloudSecretStore } from './cloud-secret-store.ts';
import { aheadParser, OWN_ADDRESS } from './mails.ts';
import { SimQueue } from './sim-queue.ts';

const LEASE_MS = 120_000;

/** The services of the cloud zone, and the functions that work there. */
export interface Cloud {
  readonly ledger: MemoryLedgerStore;
  /** What ever stood in the ledger, but for its first entry. */
  readonly archive: MemoryArchive;
  readonly tasks: MemoryTaskStore;
  readonly blobs: MemoryBlobStore;
  readonly mails: MemoryMailSource;
  readonly inbound: SimQueue<Delivery>;
  readonly drafting: SimQueue<DraftRequest>;
  readonly secret: CloudSecretStore;
  /** What functions said that had not got the keys in force, though they had read their secret again. */
  readonly keyTrouble: StaleKeysError[];
}

/** Makes them, with nothing in them but what triage and draft need to start. */
export function createCloud(kernel: Kernel, plan: Plan, model: Model): Cloud {
  const nowMs = (): number => kernel.scheduler.nowMs;
  const service = new Host('service').clock(kernel.scheduler);
  // A page is more than a world writes: then no page is checked while the next one is on its way.
  const archive = createMemoryArchive();
  const ledger = archivedLedger(createMemoryLedgerStore(100_000), archive);
  const cloud: Cloud = {
    ledger,
    archive,
    tasks: createMemoryTaskStore(),
    blobs: createMemoryBlobStore(() => service.now()),
    mails: createMemoryMailSource(),
    inbound: new SimQueue('inbound', nowMs),
    drafting: new SimQueue('drafting', nowMs),
    secret: new CloudSecretStore(),
    keyTrouble: [],
  };
  const { seed, duplicates } = plan;
  const shared = { concurrency: 2, duplicates, seed };
  new FunctionFleet(kernel, {
    ...shared,
    name: 'triage',
    queue: cloud.inbound,
    make: (process) => triageOf(kernel, cloud, process),
  });
  new FunctionFleet(kernel, {
    ...shared,
    name: 'draft',
    queue: cloud.drafting,
    make: (process) => draftOf(kernel, cloud, process, model),
  });
  return cloud;
}

function triageOf(kernel: Kernel, cloud: Cloud, process: SimProcess): Invoke<Delivery> {
  const zone = zoneOf(kernel, cloud, process);
  const ports = {
    tasks: kernel.port(process, 'tasks', cloud.tasks),
    blobs: kernel.port(process, 'blobs', cloud.blobs),
    mails: kernel.port(process, 'mails', cloud.mails),
    parser: aheadParser,
    drafting: kernel.port(process, 'queue', { send: cloud.drafting.send.bind(cloud.drafting) }),
    ownAddresses: [OWN_ADDRESS],
  };
  return async (records) => {
    const outcomes = await zone.use(({ session, keyring }) =>
      triageBatch(
        records.map(({ messageId, body }) => ({ recordId: messageId, delivery: body })),
        { ...ports, session, keyring },
      ),
    );
    return new Set(outcomes.flatMap(({ recordId, status }) => (status === 'failed' ? [recordId] : [])));
  };
}

function draftOf(kernel: Kernel, cloud: Cloud, process: SimProcess, model: Model): Invoke<DraftRequest> {
  const zone = zoneOf(kernel, cloud, process);
  const ports = {
    tasks: kernel.port(process, 'tasks', cloud.tasks),
    blobs: kernel.port(process, 'blobs', cloud.blobs),
    model: kernel.port(process, 'model', model),
    texts: new Map<string, string>(),
    clock: kernel.clock(process),
    fromAddress: OWN_ADDRESS,
    leaseMs: LEASE_MS,
  };
  return async (records) => {
    const outcomes = await zone.use(({ session, keyring }) =>
      draftBatch(
        records.map(({ messageId, body, receives }) => ({ recordId: messageId, request: body, receives })),
        { ...ports, session, keyring },
      ),
    );
    const isBack = (status: string): boolean => status === 'failed' || status === 'suspected';
    return new Set(outcomes.flatMap(({ recordId, status }) => (isBack(status) ? [recordId] : [])));
  };
}

function zoneOf(kernel: Kernel, cloud: Cloud, process: SimProcess): ZoneSource {
  const zone = createZoneSource(kernel.port(process, 'secret', cloud.secret), {
    ledger: kernel.port(process, 'ledger', cloud.ledger),
    begin: createCheckpointStart(kernel.port(process, 'blobs', cloud.blobs), 'shared'),
    clock: kernel.clock(process),
    ids: createCountingIds(`of-${process.name}-${kernel.unique()}-`),
  });
  return {
    use: async (work) => {
      try {
        return await zone.use(work);
      } catch (error) {
        if (error instanceof StaleKeysError) cloud.keyTrouble.push(error);
        throw error;
      }
    },
  };
}
