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
          ConditionExpression: 'attribute_not_exists(n)',
        });
        await client.send(command);
        return 'appended';
      } catch (error) {
        if (failedCondition(error)) return 'taken';
        throw error;
      }
    },

    read: async (vaultId, after, known = []) => {
      const signatures = Object.fromEntries(known.map(({ sig }, index) => [`:s${index}`, sig]));
      const command = new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'vaultId = :v AND n > :n',
        ExpressionAttributeValues: toItem({
          ':v': vaultId,
          ':n': after,
          ...signatures,
        }),
        // Whoever polls would fetch the last entry again and again.
        ...(known.length > 0 && { FilterExpression: `NOT sig IN (${Object.keys(signatures).join()})` }),
        ConsistentRead: true,
      });
      const { Items = [], ScannedCount, LastEvaluatedKey } = await client.send(command);
      // A filter cannot name `n`. More than one entry of one signature are no honest ledger.
      const leftOut = known.length > 0 ? (ScannedCount ?? 0) - Items.length : 0;
      return { entries: Items.map(fromItem), more: LastEvaluatedKey !== undefined, leftOut };
    },
  };
}
