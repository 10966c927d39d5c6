import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { EmployeeError } from '#protocol/errors.ts';
import type { Queue } from '#protocol/ports.ts';

/** SQS's limit of messages a batch. */
const MAX_BATCH = 10;
/** The limit of a batch and of a message that every region and emulator has. */
const MAX_BATCH_BYTES = 256 * 1024;
const MAX_TRIES = 4;

/** Messages that the queue did not take. */
export class QueueSendError extends EmployeeError {
  static override readonly code = 'QUEUE_SEND';
}

/** What a queue needs of a zod schema: refuse what is no message, before it is sent. */
export interface MessageSchema<Message> {
  parse(value: unknown): Message;
}

/**
 * A queue on SQS, messages as JSON. `send` puts as many into a call as SQS takes; entries that SQS names
 * as failed in an otherwise good answer are sent again a few times.
 *
 * @throws {QueueSendError} from `send` when a message is too large or stays refused. Those before it may
 * have been sent then: whoever reads the queue has to bear repetitions anyway.
 */
export function createSqsQueue<Message>(
  client: SQSClient,
  queueUrl: string,
  schema: MessageSchema<Message>,
): Queue<Message> {
  return {
    send: async (messages) => {
      const bodies = messages.map((message) => asciiJson(schema.parse(message)));
      for (const batch of batches(bodies)) await sendBatch(client, queueUrl, batch);
    },
  };
}

/** JSON in ASCII: SQS refuses some characters that JSON may hold. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

async function sendBatch(client: SQSClient, queueUrl: string, bodies: readonly string[]): Promise<void> {
  let waiting = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
  let reason = '';
  for (let tries = 0; tries < MAX_TRIES && waiting.length > 0; tries++) {
    const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: waiting });
    const { Failed = [] } = await client.send(command);
    const refused = Failed.find((entry) => entry.SenderFault === true);
    if (refused)
      throw new QueueSendError(`the queue refused a message: ${refused.Message ?? refused.Code ?? ''}`);
    reason = Failed[0]?.Message ?? Failed[0]?.Code ?? '';
    const failed = new Set(Failed.map((entry) => entry.Id));
    waiting = waiting.filter((entry) => failed.has(entry.Id));
  }
  if (waiting.length > 0) {
    throw new QueueSendError(
      `the queue did not take ${waiting.length} messages after ${MAX_TRIES} tries: ${reason}`,
    );
  }
}

function batches(bodies: readonly string[]): string[][] {
  const all: string[][] = [];
  let current: string[] = [];
  let currentBytes = 0;
  for (const body of bodies) {
    const sizeBytes = Buffer.byteLength(body);
    if (sizeBytes > MAX_BATCH_BYTES) {
      throw new QueueSendError(
        `a message of ${sizeBytes} bytes is over the queue's limit of ${MAX_BATCH_BYTES}`,
      );
    }
    if (current.length === MAX_BATCH || currentBytes + sizeBytes > MAX_BATCH_BYTES) {
      all.push(current);
      current = [];
      currentBytes = 0;
    }
    current.push(body);
    currentBytes += sizeBytes;
  }
  return current.length === 0 ? all : [...all, current];
}
