import { z } from 'zod';
import type { AttemptedCall } from '#local-cloud/call-log.ts';
import { UnpricedCallError } from './unpriced-call.ts';

const Value = z.union([
  z.object({ S: z.string() }),
  z.object({ N: z.string() }),
  z.object({ B: z.string() }),
]);
const Item = z.record(z.string(), Value);

/** An item as DynamoDB has it on the wire. */
export type Item = z.infer<typeof Item>;

/**
 * The size of an item in bytes, rounded up where the documentation only says "approximately".
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: unknown): number {
  return Object.entries(Item.parse(item)).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: z.infer<typeof Value>): number {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return Math.ceil(value.N.length / 2) + 1;
  return Buffer.from(value.B, 'base64').length;
}

/** What the two tables held at the end. */
export interface TableContents {
  /** Bytes of each task's item at the end, by its id. */
  readonly tasks: ReadonlyMap<string, number>;
  /** Bytes of each entry, by its number. */
  readonly entries: ReadonlyMap<number, number>;
}

/**
 * Units that one call to DynamoDB takes. Items only grow, so that of the end is the largest they were.
 *
 * @throws {UnpricedCallError}
 */
export function unitsOf(
  call: AttemptedCall,
  contents: TableContents,
): { readonly price: 'dynamodb-write-unit' | 'dynamodb-read-unit'; readonly quantity: number } {
  const { operation, input } = call;
  const writes = (bytes: number) =>
    ({ price: 'dynamodb-write-unit', quantity: Math.max(1, Math.ceil(bytes / 1024)) }) as const;
  // Every read of ours is consistent: one unit for 4 KB.
  const reads = (bytes: number) =>
    ({ price: 'dynamodb-read-unit', quantity: Math.max(1, Math.ceil(bytes / 4096)) }) as const;
  switch (operation) {
    case 'PutItem':
      return writes(itemBytes(input['Item']));
    case 'UpdateItem':
      return writes(contents.tasks.get(keyOf(input)) ?? 0);
    case 'GetItem':
      return reads(contents.tasks.get(keyOf(input)) ?? 0);
    case 'Query': {
      const { ':n': after } = z
        .object({ ':n': z.object({ N: z.coerce.number() }) })
        .parse(input['ExpressionAttributeValues']);
      // Every entry after that one which there was in the end: at least what there was then.
      const found = [...contents.entries].filter(([n]) => n > after.N).map(([, bytes]) => bytes);
      return reads(found.reduce((sum, bytes) => sum + bytes, 0));
    }
    default:
      throw new UnpricedCallError(call);
  }
}

function keyOf(input: Readonly<Record<string, unknown>>): string {
  const { taskId } = z.object({ taskId: z.object({ S: z.string() }) }).parse(input['Key']);
  return taskId.S;
}
