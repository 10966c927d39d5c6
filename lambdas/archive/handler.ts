import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { describeError } from '#lambdas/runtime/describe-error.ts';
import type { BatchAnswer } from '#lambdas/runtime/queue-event.ts';
import { readStreamEvent } from '#lambdas/runtime/stream-event.ts';
import type { Archive } from '#protocol/ports.ts';
import { archiveBatch } from './archive.ts';
import type { ArchiveEnv } from './env.ts';

/** Lambda's entry point. The second parameter is Lambda's context. */
export type StreamHandler = (event: unknown, context: object) => Promise<BatchAnswer>;

/**
 * The archive function: changes of the ledger's table in, objects of the archive out. One structured line per change,
 * with its number and never its body; the first of those that failed is where the stream begins again.
 */
export function createArchiveHandler(env: ArchiveEnv, ports: { readonly archive: Archive }): StreamHandler {
  const serviceName = env.POWERTOOLS_SERVICE_NAME;
  const logger = new Logger({ serviceName, logLevel: env.POWERTOOLS_LOG_LEVEL });
  const handler = middy(async (event: unknown): Promise<BatchAnswer> => {
    const outcomes = await archiveBatch(readStreamEvent(event), ports);
    for (const { error, ...outcome } of outcomes) {
      const line = { ...outcome, stage: serviceName };
      if (outcome.status === 'failed') logger.error('outcome', { ...line, ...describeError(error) });
      else if (outcome.status === 'rewritten') logger.error('the ledger was rewritten', line);
      else logger.info('outcome', line);
    }
    const failed = outcomes.filter(({ status }) => status === 'failed');
    return { batchItemFailures: failed.map(({ sequence }) => ({ itemIdentifier: sequence })) };
  });
  return handler.use(injectLambdaContext(logger));
}
