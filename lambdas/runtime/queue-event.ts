import { z } from 'zod';

/** One message as Lambda hands it over. Members that are not read here are left out. */
const QueueRecord = z.object({
  messageId: z.string().min(1),
  body: z.string(),
  attributes: z.object({ ApproximateReceiveCount: z.coerce.number().int().catch(1).default(1) }).prefault({}),
});

/** An event of an SQS event source mapping. */
export const QueueEvent = z.object({ Records: z.array(QueueRecord).min(1) });

/** What Lambda takes for a partly failed batch: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** A message that could be read, one that wants nothing, or why it could not be read. */
export type ReadRecord<T> =
  | {
      readonly recordId: string;
      readonly status: 'read';
      readonly value: T;
      /** How often the queue has handed it out, this time included. */
      readonly receives: number;
    }
  | { readonly recordId: string; readonly status: 'nothing' }
  | { readonly recordId: string; readonly status: 'malformed'; readonly error: unknown };

/** Reads the body of each message on its own: one that is malformed fails alone. */
export function readRecords<T>(event: unknown, read: (body: string) => T | undefined): ReadRecord<T>[] {
  return QueueEvent.parse(event).Records.map(({ messageId: recordId, body, attributes }) => {
    try {
      const value = read(body);
      if (value === undefined) return { recordId, status: 'nothing' };
      return { recordId, status: 'read', value, receives: attributes.ApproximateReceiveCount };
    } catch (error) {
      return { recordId, status: 'malformed', error };
    }
  });
}
