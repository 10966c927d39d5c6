import { PutItemCommand, QueryCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LedgerStore } from '#protocol/ports.ts';
import { failedCondition } from './dynamodb-condition.ts';
import { fromItem, toItem } from './dynamodb-item.ts';

/**
 * The ledger's table: partition key `vaultId`, sort key `n`, an entry's members as attributes. An entry is
 * put only under a number that is free, so the numbers have no holes and nothing is ever replaced.
 *
 * `append` answers `taken` also when the entry there is its own and the reply was lost: `LedgerSession`
 * tells the two apart by the entry's `attempt`. A page is what one query answers (1 MB at most).
 */
export function createDynamoLedgerStore(client: DynamoDBClient, table: string): LedgerStore {
  return {
    append: async (entry) => {
      try {
        const command = new PutItemCommand({
          TableName: table,
          Item: toItem(entry),
          ConditionExpression: 'attribute_not_exists(#n)',
          ExpressionAttributeNames: { '#n': 'n' },
        });
        await client.send(command);
        return 'appended';
      } catch (error) {
        if (failedCondition(error)) return 'taken';
        throw error;
      }
    },

    read: async (vaultId, after) => {
      const command = new QueryCommand({
        TableName: table,
        KeyConditionExpression: '#vaultId = :vaultId AND #n > :after',
        ExpressionAttributeNames: { '#vaultId': 'vaultId', '#n': 'n' },
        ExpressionAttributeValues: toItem({ ':vaultId': vaultId, ':after': after }),
        ConsistentRead: true,
      });
      const { Items = [], LastEvaluatedKey } = await client.send(command);
      return { entries: Items.map(fromItem), more: LastEvaluatedKey !== undefined };
    },
  };
}
