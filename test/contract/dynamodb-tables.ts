import {
  CreateTableCommand,
  PutItemCommand,
  waitUntilTableExists,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { TaskSeed } from './task-store.contract.ts';

/** Makes the two tables with the keys that the storage stack gives them. */
export async function createTables(client: DynamoDBClient): Promise<void> {
  const tables = [
    { name: 'tasks', keys: [['taskId', 'S', 'HASH']] },
    {
      name: 'ledger',
      keys: [
        ['vaultId', 'S', 'HASH'],
        ['n', 'N', 'RANGE'],
      ],
    },
  ] as const;
  for (const { name, keys } of tables) {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: keys.map(([AttributeName, AttributeType]) => ({
          AttributeName,
          AttributeType,
        })),
        KeySchema: keys.map(([AttributeName, , KeyType]) => ({ AttributeName, KeyType })),
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1 }, { TableName: name });
  }
}

/** Puts a task as an item, around the store. */
export function seedTasks(client: DynamoDBClient): TaskSeed {
  return {
    put: async (task) => {
      await client.send(new PutItemCommand({ TableName: 'tasks', Item: marshall(task) }));
    },
  };
}
