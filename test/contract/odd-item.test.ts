import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { startEmulators, type TestEmulators } from '#test/support/emulators.ts';
import { createTables } from './dynamodb-tables.ts';

let emulators: TestEmulators;
let client: ReturnType<typeof createDynamoClient>;
beforeAll(async () => {
  emulators = await startEmulators();
  client = createDynamoClient(emulators.clientOptions());
  await createTables(client);
});
afterAll(async () => {
  client.destroy();
  await emulators.close();
});

it('an item that this program never writes is named with what to do, and made again once it is gone', async () => {
  const store = createDynamoTaskStore(client, 'tasks');
  const taskId = taskIdOfMail('odd');
  await store.mend({ taskId, seenVersion: undefined, state: 'needs_action', home: 'local', epoch: 1 });
  const texts = { taskId: { S: taskId }, state: { S: 'needs_action' }, home: { S: 'local' } };
  const numbers = { heartbeat: '0', leaseMs: '0', version: '1', effects: '0', epoch: '9007199254740993' };
  const Item = {
    ...texts,
    ...Object.fromEntries(Object.entries(numbers).map(([name, N]) => [name, { N }])),
  };
  await client.send(new PutItemCommand({ TableName: 'tasks', Item }));
  await expect(store.get(taskId)).rejects.toMatchObject({
    code: 'TASK_ITEM',
    message: expect.stringMatching(
      new RegExp(`${taskId} in the table tasks cannot be read \\(epoch\\).*employee repair`),
    ) as string,
  });
  await client.send(new DeleteItemCommand({ TableName: 'tasks', Key: { taskId: { S: taskId } } }));
  expect(await store.get(taskId)).toBeUndefined();
});
