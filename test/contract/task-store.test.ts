import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { createFileTaskStore } from '#adapters/file-task-store.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryTaskStore } from '#test/support/memory/memory-task-store.ts';
import { createTables, seedTasks } from './dynamodb-tables.ts';
import { inMemory } from './harness.ts';
import { seedTaskFiles } from './task-files.ts';
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

describeTaskStoreContract('files', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'task-files-'));
  return {
    adapter: createFileTaskStore(folder),
    extra: seedTaskFiles(folder),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});
