import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { createMailParser } from '#adapters/mail-parser.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { createS3BlobStore } from '#adapters/s3-blob-store.ts';
import { createS3MailSource } from '#adapters/s3-mail-source.ts';
import { createSqsQueue } from '#adapters/sqs-queue.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { createTemplateModel } from '#adapters/template-model.ts';
import type { AwsClients } from '#adapters/aws-clients.ts';
import { repositoryDir } from '#infra/paths.ts';
import { draftBatch } from '#lambdas/draft/draft.ts';
import { createZoneSource } from '#lambdas/runtime/zone-session.ts';
import { triageBatch } from '#lambdas/triage/triage.ts';
import { storeContent } from '#protocol/content-store.ts';
import { DraftRequest } from '#protocol/draft-request.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { Delivery } from '#protocol/mail.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';

const VAULT_ID = 'vault-1';
const OWN_ADDRESSES = ['assistant@example.com'];
const ORDERS = ['Handbook.md', 'Templates/reply.md', 'Templates/support-question.md', 'Templates/german.md'];

/** Triage and draft as two warm functions have them: real adapters, a session each, one vault. */
export interface CloudZone {
  /** From the notification to the approval request. @throws unless every mail became a draft. */
  handle(deliveries: readonly Delivery[]): Promise<void>;
  close(): Promise<void>;
}

/** Sets up a vault with the starter's standing orders, and the two use cases over it. */
export async function createCloudZone(clients: AwsClients, queueUrl: string): Promise<CloudZone> {
  const shared = newVaultKey();
  const owner = writer('laptop', shared);
  const cloud = writer('cloud', shared);
  const ledger = createDynamoLedgerStore(clients.dynamodb, 'ledger');
  const blobs = createS3BlobStore(clients.s3, 'vault');
  const tasks = createDynamoTaskStore(clients.dynamodb, 'tasks');
  const parser = createMailParser();
  const drafting = createSqsQueue(clients.sqs, queueUrl, DraftRequest);
  const model = createTemplateModel();
  const texts = new Map<string, string>();
  const root = owner.signingKey.publicKey;
  const ports = { ledger, clock: systemClock, ids: randomIds };
  const { signingKey: signing, keyring } = cloud;
  const secret = JSON.stringify({ vaultId: VAULT_ID, writer: 'cloud', signing, keyring, root });
  const [triageZone, draftZone] = [0, 1].map(() => createZoneSource({ read: async () => secret }, ports));
  if (!triageZone || !draftZone) throw new Error('two zones were asked for');

  const session = new LedgerSession(owner, root, ports);
  await session.append(() => ({
    body: {
      kind: 'keys',
      keyEpoch: 1,
      writers: [owner, cloud].map(({ writer: name, signingKey }) => ({
        writer: name,
        zone: name === 'cloud' ? ('cloud' as const) : ('local' as const),
        publicKey: signingKey.publicKey,
      })),
      approvers: [],
    },
  }));
  const changes = await Promise.all(
    ORDERS.map(async (file) => {
      const bytes = await readFile(path.join(repositoryDir, 'examples/vault', file));
      const content = await storeContent(bytes, 'shared', owner.keyring, VAULT_ID, blobs);
      return { op: 'put' as const, path: file, content };
    }),
  );
  await session.append(() => ({ body: { kind: 'files', changes } }));

  return {
    handle: async (deliveries) => {
      const triaged = await triageZone.use((zone) =>
        triageBatch(
          deliveries.map((delivery) => ({ recordId: delivery.sesMessageId, delivery })),
          {
            ...zone,
            tasks,
            blobs,
            parser,
            drafting,
            mails: createS3MailSource(clients.s3),
            ownAddresses: OWN_ADDRESSES,
          },
        ),
      );
      requireAll(triaged, 'respond');
      const drafted = await draftZone.use((zone) =>
        draftBatch(
          deliveries.map(({ sesMessageId }) => ({
            recordId: sesMessageId,
            request: { taskId: taskIdOfMail(sesMessageId), correlationId: sesMessageId },
          })),
          {
            ...zone,
            tasks,
            blobs,
            model,
            texts,
            fromAddress: 'assistant@example.com',
            leaseMs: 120_000,
            clock: systemClock,
          },
        ),
      );
      requireAll(drafted, 'drafted');
    },
    close: () => parser.close(),
  };
}

function writer(name: string, shared: string): Writer {
  return { vaultId: VAULT_ID, writer: name, signingKey: newSigningKey(), keyring: [{ keyEpoch: 1, shared }] };
}

function requireAll(
  outcomes: readonly { readonly status: string; readonly error?: unknown }[],
  wanted: string,
): void {
  const other = outcomes.find(({ status }) => status !== wanted);
  if (other) throw new Error(`a mail ended as ${other.status} instead of ${wanted}`, { cause: other.error });
}
