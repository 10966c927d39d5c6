import { z } from 'zod';
import type { LedgerChange } from '#protocol/archive.ts';

/** Values of our tables, as DynamoDB writes them: texts and numbers. */
const Attribute = z.union([
  z.strictObject({ S: z.string() }).transform(({ S }): unknown => S),
  z.strictObject({ N: z.string() }).transform(({ N }): unknown => Number(N)),
  z.unknown(),
]);
const Item = z.record(z.string(), Attribute);

/** One change as Lambda hands it over. Members that are not read here are left out. */
const StreamRecord = z.object({
  eventName: z.enum(['INSERT', 'MODIFY', 'REMOVE']),
  dynamodb: z.object({ Keys: Item, NewImage: Item.optional(), SequenceNumber: z.string().min(1) }),
});

/** An event of the stream of the ledger's table. */
const StreamEvent = z.object({ Records: z.array(StreamRecord).min(1) });

const CHANGES = { INSERT: 'insert', MODIFY: 'modify', REMOVE: 'remove' } as const;

/**
 * Reads an event of the stream of the ledger's table.
 *
 * @throws {z.ZodError} when it is none; then the whole batch comes again.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
 */
export function readStreamEvent(event: unknown): LedgerChange[] {
  return StreamEvent.parse(event).Records.map(({ eventName, dynamodb }) => {
    const { Keys, NewImage, SequenceNumber: sequence } = dynamodb;
    const { vaultId, n } = Keys;
    const image = NewImage === undefined ? {} : { image: NewImage };
    return { change: CHANGES[eventName], vaultId: String(vaultId), n: Number(n), sequence, ...image };
  });
}
