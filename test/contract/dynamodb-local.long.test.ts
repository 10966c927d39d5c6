import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { startDynamodbLocal, whyNoDynamodbLocal } from './dynamodb-local.ts';
import { createTables, seedTasks } from './dynamodb-tables.ts';
import { describeLedgerStoreContract } from './ledger-store.contract.ts';
import { describeTaskStoreContract } from './task-store.contract.ts';

// AWS's own engine as the second judge: what dynalite gets wrong, it does not get wrong in the same way.
const missing = whyNoDynamodbLocal();

if (missing === undefined) {
  describe('AWS DynamoDB Local', { timeout: 120_000 }, judge);
} else {
  console.warn(`The DynamoDB contracts run over dynalite only: ${missing}.`);
  it.skip(`AWS DynamoDB Local was not asked: ${missing}`, () => undefined);
}

function judge(): void {
  vi.setConfig({ hookTimeout: 60_000 });
  let stop: (() => Promise<void>) | undefined;
  let client: ReturnType<typeof createDynamoClient>;

  beforeAll(async () => {
    const local = await startDynamodbLocal();
    stop = local.stop;
    client = createDynamoClient({
      region: 'us-east-1',
      endpoints: { dynamodb: local.endpoint },
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    await createTables(client);
  });
  afterAll(async () => {
    client.destroy();
    await stop?.();
  });

  describeTaskStoreContract(
    'AWS DynamoDB Local',
    async () => ({
      adapter: createDynamoTaskStore(client, 'tasks'),
      extra: seedTasks(client),
      close: () => Promise.resolve(),
    }),
    { racers: 64, histories: 25 },
  );
  describeLedgerStoreContract('AWS DynamoDB Local', async () => ({
    adapter: createDynamoLedgerStore(client, 'ledger'),
    extra: undefined,
    close: () => Promise.resolve(),
  }));
}
