import { parseMail } from '#adapters/parse-mail.ts';
import { createTemplateModel } from '#adapters/template-model.ts';
import { draftBatch } from '#lambdas/draft/draft.ts';
import type { DraftOutcome, DraftPorts } from '#lambdas/draft/draft.ts';
import { createZoneSource } from '#lambdas/runtime/zone-session.ts';
import type { ZoneSource } from '#lambdas/runtime/zone-session.ts';
import { triageBatch } from '#lambdas/triage/triage.ts';
import type { TriageOutcome, TriagePorts } from '#lambdas/triage/triage.ts';
import type { DraftRequest } from '#protocol/draft-request.ts';
import type { Authentication, Delivery } from '#protocol/mail.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import { createMemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';
import { type createMemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import { createMemoryMailSource } from '#test/support/memory/memory-mail-source.ts';
import { createMemoryQueue } from '#test/support/memory/memory-queue.ts';
import { createMemoryTaskStore } from '#test/support/memory/memory-task-store.ts';

const OWN = ['assistant@example.com'];
const PASSED: Authentication = { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' };

/** Which call of an AWS service fails: the `at`-th, before it takes effect or once it has; 0 never. */
export interface Fault {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** The cloud zone with every service in memory and every call of one counted. */
export interface CloudWorld {
  readonly factory: LedgerFactory;
  readonly tasks: ReturnType<typeof createMemoryTaskStore>;
  readonly ledger: ReturnType<typeof createMemoryLedgerStore>;
  readonly blobs: ReturnType<typeof createMemoryBlobStore>;
  readonly mails: ReturnType<typeof createMemoryMailSource>;
  readonly queue: ReturnType<typeof createMemoryQueue<DraftRequest>>;
  /** Names of the calls since the last `clear`, in order. */
  readonly calls: string[];
  /** Sets a fault and begins to count anew. */
  fail(fault: Fault): void;
  /** Stores a raw mail as SES would and answers its delivery. */
  deliver(sesMessageId: string, raw?: string | Uint8Array, change?: Partial<Delivery>): Delivery;
  triage(deliveries: readonly Delivery[], ports?: Partial<TriagePorts>): Promise<readonly TriageOutcome[]>;
  /** Drafts; the try's id follows from the request's place unless it is given. */
  draft(
    requests: readonly DraftRequest[],
    options?: { readonly ports?: Partial<DraftPorts>; readonly attempt?: string; readonly receives?: number },
  ): Promise<readonly DraftOutcome[]>;
  /** The state as the owner's machine replays it. */
  state(): Promise<VaultState>;
}

/** Makes a world whose ledger holds the entry of keys. */
export function createCloudWorld(): CloudWorld {
  const factory = createLedgerFactory();
  const [tasks, ledger, blobs] = [createMemoryTaskStore(), factory.store(), createMemoryBlobStore()];
  const mails = createMemoryMailSource();
  const queue = createMemoryQueue<DraftRequest>();
  const calls: string[] = [];
  let fault: Fault = { at: 0, when: 'before' };

  const counted = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get(target, member, receiver) {
        const value: unknown = Reflect.get(target, member, receiver);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          calls.push(`${name}.${String(member)}`);
          const fails = calls.length === fault.at;
          if (fails && fault.when === 'before') throw new Error(`call ${fault.at} failed`);
          const result: unknown = await Reflect.apply(value, target, args);
          if (fails) throw new Error(`the reply of call ${fault.at} was lost`);
          return result;
        };
      },
    });

  const ids = createCountingIds('cloud');
  const secret = JSON.stringify({
    vaultId: factory.vaultId,
    writer: 'cloud',
    signing: factory.cloud.signingKey,
    keyring: factory.cloud.keyring,
    root: factory.root,
  });
  const services = {
    tasks: counted('tasks', tasks),
    blobs: counted('blobs', blobs),
    mails: counted('mails', mails),
    drafting: counted('queue', queue),
  };
  const zoneOf = (): ZoneSource =>
    createZoneSource(
      { read: async () => secret },
      { ledger: counted('ledger', ledger), clock: factory.clock, ids },
    );
  const [triageZone, draftZone] = [zoneOf(), zoneOf()];
  const texts = new Map<string, string>();

  return {
    factory,
    tasks,
    ledger,
    blobs,
    mails,
    queue,
    calls,
    fail: (next) => {
      fault = next;
      calls.length = 0;
    },
    deliver: (sesMessageId, raw = mailText(sesMessageId), change = {}) => {
      const ref = { bucket: 'inbound', key: `inbound/${sesMessageId}` };
      mails.store(ref, typeof raw === 'string' ? Buffer.from(raw.replaceAll('\n', '\r\n')) : raw);
      return {
        sesMessageId,
        receivedAt: '2026-11-21T08:00:00.000Z',
        envelopeFrom: 'maya@linden.example',
        envelopeTo: OWN,
        authentication: PASSED,
        raw: ref,
        ...change,
      };
    },
    triage: (deliveries, ports = {}) =>
      triageZone.use(({ session, keyring }) =>
        triageBatch(
          deliveries.map((delivery, index) => ({ recordId: `record-${index}`, delivery })),
          {
            ...services,
            parser: { parse: (raw) => parseMail(Uint8Array.from(raw).buffer) },
            ownAddresses: OWN,
            session,
            keyring,
            ...ports,
          },
        ),
      ),
    draft: (requests, { ports = {}, attempt = 'message', receives = 1 } = {}) =>
      draftZone.use(({ session, keyring }) =>
        draftBatch(
          requests.map((request, index) => ({ recordId: `${attempt}-${index}`, request, receives })),
          {
            tasks: services.tasks,
            blobs: services.blobs,
            model: createTemplateModel(),
            texts,
            fromAddress: 'assistant@example.com',
            leaseMs: 120_000,
            clock: factory.clock,
            session,
            keyring,
            ...ports,
          },
        ),
      ),
    state: async () => {
      const reader = factory.session(factory.local, ledger);
      await reader.pull();
      return reader.state;
    },
  };
}

/** A plain mail of a person who asks something, or whatever the parts say. */
export function mailText(
  id: string,
  {
    headers = [],
    text = 'Hello,\n\ncan you tell me when you open on Saturday?\n\nMaya',
    from = 'Maya Linden <maya@linden.example>',
    subject = 'Opening hours',
  }: {
    readonly headers?: readonly string[];
    readonly text?: string;
    readonly from?: string;
    readonly subject?: string;
  } = {},
): string {
  const head = [
    `From: ${from}`,
    'To: assistant@example.com',
    `Subject: ${subject}`,
    `Message-ID: <${id}@linden.example>`,
    'Date: Sat, 21 Nov 2026 07:59:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    ...headers,
  ];
  return `${head.join('\n')}\n\n${text}\n`;
}
