import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import { describeError } from './describe-error.ts';
import { readRecords } from './queue-event.ts';
import type { BatchAnswer } from './queue-event.ts';

/** The members of a function's environment that logs and metrics use. */
export interface ObservedEnv {
  readonly POWERTOOLS_SERVICE_NAME: string;
  readonly POWERTOOLS_METRICS_NAMESPACE: string;
  readonly POWERTOOLS_LOG_LEVEL: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}

/** What a use case says of each record. `failed` and `suspected` go back to the queue. */
export interface QueueOutcome {
  readonly recordId: string;
  readonly taskId: string;
  readonly status: string;
  readonly reason?: string;
  readonly writtenBy?: string;
  readonly error?: unknown;
}

/** One function that works off a queue in whole batches. */
export interface QueueFunction<T> {
  readonly env: ObservedEnv;
  /** Parses a message's body; `undefined` for one that wants nothing. What it throws fails that message alone. */
  readonly read: (body: string) => T | undefined;
  readonly correlationId: (value: T) => string;
  readonly work: (
    records: readonly { readonly recordId: string; readonly value: T; readonly receives: number }[],
  ) => Promise<readonly QueueOutcome[]>;
}

/** Lambda's entry point. The second parameter is Lambda's context. */
export type QueueHandler = (event: unknown, context: object) => Promise<BatchAnswer>;

/**
 * Makes a Lambda handler of a use case: checks event and messages, logs one structured line and counts one
 * metric per outcome, and answers which messages failed. Logs hold ids, codes and reasons, never bodies.
 * `POWERTOOLS_METRICS_DISABLED` switches the metrics off (they cost by name).
 */
export function createQueueFunction<T>(definition: QueueFunction<T>): QueueHandler {
  const { env } = definition;
  const logger = new Logger({ serviceName: env.POWERTOOLS_SERVICE_NAME, logLevel: env.POWERTOOLS_LOG_LEVEL });
  const metrics = new Metrics({
    namespace: env.POWERTOOLS_METRICS_NAMESPACE,
    serviceName: env.POWERTOOLS_SERVICE_NAME,
  });

  async function work(event: unknown): Promise<Map<string, QueueOutcome>> {
    const records = readRecords(event, definition.read);
    const readable = records.flatMap((record) => (record.status === 'read' ? [record] : []));
    const outcomes = new Map<string, QueueOutcome>();
    for (const { recordId, ...record } of records) {
      if (record.status === 'nothing') {
        outcomes.set(recordId, { recordId, taskId: '', status: 'nothing-to-do' });
        continue;
      }
      const error = record.status === 'malformed' ? record.error : new Error('the function gave no outcome');
      outcomes.set(recordId, { recordId, taskId: '', status: 'failed', error });
    }
    try {
      if (readable.length > 0) {
        for (const outcome of await definition.work(readable)) outcomes.set(outcome.recordId, outcome);
      }
    } catch (error) {
      for (const { recordId } of readable)
        outcomes.set(recordId, { recordId, taskId: '', status: 'failed', error });
    }
    const correlation = new Map(
      readable.map(({ recordId, value }) => [recordId, definition.correlationId(value)]),
    );
    for (const outcome of outcomes.values()) report(outcome, correlation.get(outcome.recordId));
    return outcomes;
  }

  function report({ error, ...outcome }: QueueOutcome, correlationId: string | undefined): void {
    metrics.addMetric(outcome.status, MetricUnit.Count, 1);
    const line = { ...outcome, stage: env.POWERTOOLS_SERVICE_NAME, correlationId };
    if (outcome.status === 'failed') logger.error('outcome', { ...line, ...describeError(error) });
    else logger.info('outcome', line);
  }

  const handler = middy(async (event: unknown): Promise<BatchAnswer> => {
    const outcomes = await work(event);
    const failUnlessDone = async ({ messageId }: { readonly messageId: string }): Promise<void> => {
      const { status } = outcomes.get(messageId) ?? {};
      if (status === 'failed' || status === 'suspected') throw new Error(status);
    };
    const processor = new BatchProcessor(EventType.SQS);
    // A wholly failed batch is answered like any other: thrown errors would be retried as one.
    return processPartialResponse(event as { Records: [] }, failUnlessDone, processor, {
      throwOnFullBatchFailure: false,
    });
  });
  return handler.use(injectLambdaContext(logger)).use(logMetrics(metrics));
}
