/** A change of one item, as the stream of its table tells it. */
export interface TableChange {
  readonly table: string;
  readonly eventName: 'INSERT' | 'MODIFY';
  /** In DynamoDB's own form. */
  readonly image: Readonly<Record<string, unknown>>;
}

/**
 * What a request that puts an item changes, once it is answered. dynalite has no streams; as every write comes by here,
 * its requests tell the same. The one operation that our tables with a stream know is `PutItem`.
 */
export function changeOf(
  operation: string,
  input: Readonly<Record<string, unknown>>,
): TableChange | undefined {
  const { TableName: table, Item: image, ConditionExpression: condition } = input;
  if (operation !== 'PutItem' || typeof table !== 'string' || typeof image !== 'object' || image === null)
    return undefined;
  const isNew = typeof condition === 'string' && condition.includes('attribute_not_exists');
  return { table, eventName: isNew ? 'INSERT' : 'MODIFY', image: { ...image } };
}
