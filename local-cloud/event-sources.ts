import { z } from 'zod';
import type { AwsClient } from './aws-client.ts';
import { failuresIn } from './batch-answer.ts';
import type { LocalFunction } from './functions.ts';
import type { PlannedEventSource } from './plan.ts';

/** @see EventSource */
export interface EventSourceOptions {
  client: AwsClient;
  mapping: PlannedEventSource;
  queueUrl: string;
  region: string;
  target: LocalFunction;
  log: (line: string) => void;
}

/** More instances than this do not make a small machine faster, whatever the template allows. */
const MAX_LOCAL_CONCURRENCY = 4;
const LONG_POLL_SECONDS = 20;
const RETRY_MS = 200;

const Received = z.object({
  Messages: z
    .array(
      z.object({
        MessageId: z.string(),
        ReceiptHandle: z.string(),
        Body: z.string(),
        MD5OfBody: z.string(),
        Attributes: z.record(z.string(), z.string()).default({}),
        MessageAttributes: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
      }),
    )
    .default([]),
});
type Message = z.infer<typeof Received>['Messages'][number];

/**
 * Feeds a function from a queue as Lambda's poller does: long poll, invoke with a batch, delete what was
 * done. What failed is left alone, so it comes back after its visibility timeout and ends in the dead-letter
 * queue by the queue's own redrive policy. With `ReportBatchItemFailures` the answer names what failed; an
 * answer that cannot be read, or that names a message which was not in the batch, fails the whole batch.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export class EventSource {
  readonly #options: EventSourceOptions;
  readonly #concurrency: number;
  readonly #abort = new AbortController();
  readonly #batches = new Set<Promise<void>>();
  #polling: Promise<void> = Promise.resolve();

  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#concurrency = Math.min(
      options.mapping.maximumConcurrency ?? MAX_LOCAL_CONCURRENCY,
      options.target.planned.reservedConcurrency ?? MAX_LOCAL_CONCURRENCY,
      MAX_LOCAL_CONCURRENCY,
    );
  }

  /** Batches that are with the function, or whose messages are being deleted. */
  get running(): number {
    return this.#batches.size;
  }

  start(): void {
    this.#polling = this.#poll();
  }

  /** Takes nothing more from the queue. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#polling;
  }

  /** Resolves when every batch that was taken is done. */
  async drained(): Promise<void> {
    await Promise.allSettled(this.#batches);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      if (this.#batches.size >= this.#concurrency) {
        await Promise.race(this.#batches);
        continue;
      }
      try {
        const messages = await this.#receive();
        if (messages.length > 0) this.#begin(messages);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log(
          `polling failed, trying again: ${error instanceof Error ? error.message : String(error)}`,
        );
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #receive(): Promise<Message[]> {
    const { batchSize, windowSeconds } = this.#options.mapping;
    const messages = await this.#receiveOnce(Math.min(batchSize, 10), LONG_POLL_SECONDS);
    // A window waits for a fuller batch from the first message on; without one, what is there goes.
    const closesAt = performance.now() + windowSeconds * 1000;
    while (messages.length > 0 && messages.length < batchSize) {
      const leftSeconds = Math.floor((closesAt - performance.now()) / 1000);
      if (leftSeconds < 1 || this.#abort.signal.aborted) break;
      messages.push(...(await this.#receiveOnce(Math.min(batchSize - messages.length, 10), leftSeconds)));
    }
    return messages;
  }

  async #receiveOnce(maxMessages: number, waitSeconds: number): Promise<Message[]> {
    const input = {
      QueueUrl: this.#options.queueUrl,
      MaxNumberOfMessages: maxMessages,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    };
    const answer = await this.#options.client.json('sqs', 'ReceiveMessage', input, this.#abort.signal);
    return Received.parse(answer).Messages;
  }

  #begin(messages: Message[]): void {
    const batch = this.#work(messages).catch((error: unknown) => {
      this.#options.log(`a batch failed: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#batches.add(batch);
    void batch.finally(() => this.#batches.delete(batch));
  }

  async #work(messages: Message[]): Promise<void> {
    const { client, mapping, queueUrl, target } = this.#options;
    const event = { Records: messages.map((message) => this.#record(message)) };
    const all = new Set(messages.map(({ MessageId }) => MessageId));
    const failed = failuresIn(await target.invoke(event), all, mapping.reportsFailures);
    const done = messages.filter(({ MessageId }) => !failed.has(MessageId));
    for (let start = 0; start < done.length; start += 10) {
      const Entries = done
        .slice(start, start + 10)
        .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await client.json('sqs', 'DeleteMessageBatch', { QueueUrl: queueUrl, Entries });
    }
    if (failed.size > 0)
      this.#options.log(`${failed.size} of ${messages.length} messages go back to the queue`);
  }

  #record(message: Message): object {
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes,
      messageAttributes: Object.fromEntries(
        Object.entries(message.MessageAttributes).map(([name, value]) => [
          name,
          {
            ...(value['StringValue'] === undefined ? {} : { stringValue: value['StringValue'] }),
            ...(value['BinaryValue'] === undefined ? {} : { binaryValue: value['BinaryValue'] }),
            stringListValues: [],
            binaryListValues: [],
            dataType: value['DataType'],
          },
        ]),
      ),
      md5OfBody: message.MD5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: this.#options.mapping.queueArn,
      awsRegion: this.#options.region,
    };
  }
}
