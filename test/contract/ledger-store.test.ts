import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import { createTables } from './dynamodb-tables.ts';
import { inMemory } from './harness.ts';
import { describeLedgerStoreContract } from './ledger-store.contract.ts';

describeLedgerStoreContract('memory', () => inMemory(createMemoryLedgerStore(10), undefined));

describeLedgerStoreContract('DynamoDB (dynalite)', async () => {
  const emulators = await startEmulators();
  const client = createDynamoClient(emulators.clientOptions());
  await createTables(client);
  return {
    adapter: createDynamoLedgerStore(client, 'ledger'),
    extra: undefined,
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
});
