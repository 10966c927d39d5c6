import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** What an attribute of our tables holds. */
export type ItemValue = string | number;

/**
 * Writes a flat record as DynamoDB wants it; members that are `undefined` are left out. Our items are
 * strings and numbers and nothing else, for which the SDK's own converter is large and slow.
 */
export function toItem(
  record: Readonly<Record<string, ItemValue | undefined>>,
): Record<string, AttributeValue> {
  const item: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(record)) {
    if (value !== undefined) item[name] = typeof value === 'string' ? { S: value } : { N: String(value) };
  }
  return item;
}

/** Reads an item. What is neither text nor number stays as the service gave it: no schema of ours accepts it. */
export function fromItem(item: Readonly<Record<string, AttributeValue>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      value.S ?? (value.N === undefined ? value : Number(value.N)),
    ]),
  );
}
