import type { AttemptedCall } from '../call-log.ts';
import { onEverything, present, textOf, type AccessContext, type NeededAccess } from './needed-access.ts';

/** Operations on one table, whose action has the same name. */
const ON_A_TABLE = new Set([
  ...['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan', 'DescribeTable'],
  ...['CreateTable', 'DeleteTable', 'UpdateTable', 'DescribeTimeToLive', 'UpdateTimeToLive'],
]);

/** Operations on the stream of a table. */
const ON_A_STREAM = new Set(['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams']);

/** The permissions of a DynamoDB call: the table's, or its index's; several tables for a batch. */
export function dynamodbAccess(call: AttemptedCall, context: AccessContext): NeededAccess[] {
  const { operation, input } = call;
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    const tables = isObject(input['RequestItems']) ? Object.keys(input['RequestItems']) : ['*'];
    return tables.map((table) => onTable(operation, table, '', [], context));
  }
  if (ON_A_STREAM.has(operation))
    return [{ action: `dynamodb:${operation}`, resource: textOf(input, 'StreamArn') || '*', keys: {} }];
  if (!ON_A_TABLE.has(operation)) return [onEverything(call)];
  return [
    onTable(
      operation,
      textOf(input, 'TableName'),
      textOf(input, 'IndexName'),
      leadingKeys(call, context),
      context,
    ),
  ];
}

function onTable(
  operation: string,
  name: string,
  index: string,
  keys: readonly string[],
  { region, accountId }: AccessContext,
): NeededAccess {
  // A table may be named by its ARN as well.
  const table = name.startsWith('arn:') ? name : `arn:aws:dynamodb:${region}:${accountId}:table/${name}`;
  const resource = index === '' ? table : `${table}/index/${index}`;
  return { action: `dynamodb:${operation}`, resource, keys: present({ 'dynamodb:leadingkeys': keys }) };
}

/** The values of the partition key that the call is about, as far as it says so. */
function leadingKeys({ input }: AttemptedCall, { plan }: AccessContext): string[] {
  const table = plan.tables.find(({ name }) => name === input['TableName']);
  const partition = table?.KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
  if (partition === undefined) return [];
  const value = member(input['Key'] ?? input['Item'], partition) ?? queriedKey(input, partition);
  return ['S', 'N', 'B'].map((type) => member(value, type)).filter((each) => typeof each === 'string');
}

/** From `vaultId = :v AND n > :n` the value of `:v`. */
function queriedKey(input: AttemptedCall['input'], partition: string): unknown {
  const equalities = textOf(input, 'KeyConditionExpression').matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g);
  for (const [, name = '', value = ''] of equalities) {
    const attribute = member(input['ExpressionAttributeNames'], name) ?? name;
    if (attribute === partition) return member(input['ExpressionAttributeValues'], value);
  }
  return undefined;
}

// Plain looks instead of a schema: a call costs microseconds, and what is not understood only leaves a key out.
function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
