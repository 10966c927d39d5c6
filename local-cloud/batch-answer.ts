import { z } from 'zod';

const BatchAnswer = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish(),
});

/**
 * The records of a batch that a function reports as failed. An answer that cannot be read, or that names a record which
 * was not in the batch, fails the whole batch.
 *
 * @param all the identifiers of the batch: message ids of a queue, sequence numbers of a stream
 */
export function failuresIn(answer: unknown, all: Set<string>, reportsFailures: boolean): Set<string> {
  if (!reportsFailures) return new Set();
  // No answer, or one without the list, means success: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
  if (answer === null || answer === undefined) return new Set();
  const parsed = BatchAnswer.safeParse(answer);
  if (!parsed.success) return all;
  const failed = new Set(parsed.data.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
  return failed.isSubsetOf(all) ? failed : all;
}
