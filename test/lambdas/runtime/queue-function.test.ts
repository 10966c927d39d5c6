import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createQueueFunction } from '#lambdas/runtime/queue-function.ts';
import type { QueueFunction, QueueHandler } from '#lambdas/runtime/queue-function.ts';

const CONTEXT = {
  functionName: 'f',
  functionVersion: '1',
  invokedFunctionArn: 'arn',
  memoryLimitInMB: '128',
  awsRequestId: 'request-1',
  getRemainingTimeInMillis: () => 1000,
};

let printed: string[] = [];

beforeEach(() => {
  printed = [];
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, name).mockImplementation(
      (...parts: unknown[]) => void printed.push(parts.map(String).join(' ')),
    );
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function make(work: QueueFunction<{ id: string }>['work']): QueueHandler {
  return createQueueFunction({
    env: {
      POWERTOOLS_SERVICE_NAME: 'triage',
      POWERTOOLS_METRICS_NAMESPACE: 'Test',
      POWERTOOLS_LOG_LEVEL: 'INFO',
    },
    read: (body) => JSON.parse(body) as { id: string },
    correlationId: ({ id }) => id,
    work,
  });
}

function event(...bodies: readonly string[]): object {
  return { Records: bodies.map((body, index) => ({ messageId: `m${index}`, body, eventSource: 'aws:sqs' })) };
}

const logged = (): Record<string, unknown>[] =>
  printed.flatMap((line) => {
    const json = JSON.parse(line) as Record<string, unknown>;
    return json['message'] === 'outcome' ? [json] : [];
  });

describe('a function on a queue', () => {
  it('hands on how often a message was received, and sends back what is suspected', async () => {
    const seen: number[] = [];
    const handler = make(async (records) =>
      records.map(({ recordId, value, receives }) => {
        seen.push(receives);
        return { recordId, taskId: value.id, status: 'suspected' };
      }),
    );
    const [one, two] = [
      { messageId: 'm0', body: '{"id":"a"}', attributes: { ApproximateReceiveCount: '3' } },
      { messageId: 'm1', body: '{"id":"b"}' },
    ];
    const answer = await handler({ Records: [one, two] }, CONTEXT);
    expect(seen).toEqual([3, 1]);
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['m0', 'm1']);
  });

  it('answers exactly the messages that failed', async () => {
    const handler = make(async (records) =>
      records.map(({ recordId, value }) => ({
        recordId,
        taskId: value.id,
        status: value.id === 'bad' ? 'failed' : 'done',
      })),
    );
    const answer = await handler(event('{"id":"a"}', '{"id":"bad"}', '{"id":"c"}'), CONTEXT);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] });
  });

  it('fails a message that it cannot read, alone, and does not log its words', async () => {
    const handler = make(async (records) =>
      records.map(({ recordId }) => ({ recordId, taskId: 't', status: 'done' })),
    );
    const answer = await handler(event('my-secret-words', '{"id":"a"}'), CONTEXT);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(printed.join('\n')).not.toContain('my-secret-words');
  });

  it('fails all of a batch when the work throws, by answer and not by an error', async () => {
    const handler = make(() => Promise.reject(new Error('the ledger is gone')));
    const answer = await handler(event('{"id":"a"}', '{"id":"b"}'), CONTEXT);
    expect(answer.batchItemFailures).toHaveLength(2);
    expect(logged()[0]).toMatchObject({ errorMessage: 'the ledger is gone', correlationId: 'a' });
  });

  it('fails a message that the work forgot', async () => {
    const handler = make(async () => []);
    expect((await handler(event('{"id":"a"}'), CONTEXT)).batchItemFailures).toHaveLength(1);
  });

  it('logs one line per outcome with task, stage, correlation id, and counts it', async () => {
    const handler = make(async (records) =>
      records.map(({ recordId, value }) => ({
        recordId,
        taskId: `t-${value.id}`,
        status: 'respond',
        reason: 'question',
      })),
    );
    await handler(event('{"id":"a"}', '{"id":"b"}'), CONTEXT);
    expect(logged()).toMatchObject([
      { taskId: 't-a', stage: 'triage', correlationId: 'a', status: 'respond', reason: 'question' },
      { taskId: 't-b', stage: 'triage', correlationId: 'b', status: 'respond' },
    ]);
    const metrics = printed
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => '_aws' in line);
    expect(metrics).toMatchObject([{ service: 'triage', respond: [1, 1] }]);
  });

  it('throws on an event that is not of a queue', async () => {
    await expect(make(async () => [])({ Records: [{ s3: {} }] }, CONTEXT)).rejects.toThrow();
  });
});
