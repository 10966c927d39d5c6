import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryTaskStore } from '#test/support/memory/memory-task-store.ts';
import { createTables, seedTasks } from './dynamodb-tables.ts';
import { inMemory } from './harness.ts';
import { describeTaskStoreContract } from './task-store.contract.ts';

describeTaskStoreContract('memory', () => {
  const store = createMemoryTaskStore();
  return inMemory(store, { put: async (task) => void store.items.set(task.taskId, structuredClone(task)) });
});

describeTaskStoreContract('DynamoDB (dynalite)', async () => {
  const emulators = await startEmulators();
  const client = createDynamoClient(emulators.clientOptions());
  await createTables(client);
  return {
    adapter: createDynamoTaskStore(client, 'tasks'),
    extra: seedTasks(client),
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
});
