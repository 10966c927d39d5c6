import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { createSqsClient } from '#adapters/sqs-client.ts';
import { createSqsQueue } from '#adapters/sqs-queue.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryQueue } from '#test/support/memory/memory-queue.ts';
import { inMemory } from './harness.ts';
import { describeQueueContract, type Note } from './queue.contract.ts';

const NoteSchema = z.strictObject({ id: z.string(), text: z.string() });

describeQueueContract('memory', () => {
  const queue = createMemoryQueue<Note>();
  return inMemory(queue, { drain: async () => queue.messages.splice(0) });
});

describeQueueContract('SQS (fauxqs)', async () => {
  const emulators = await startEmulators();
  const client = createSqsClient(emulators.clientOptions());
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: 'drafting' }));
  return {
    adapter: createSqsQueue(client, QueueUrl, NoteSchema),
    extra: {
      drain: async () => {
        const notes: Note[] = [];
        for (;;) {
          const { Messages = [] } = await client.send(
            new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
          );
          if (Messages.length === 0) return notes;
          for (const { Body = '', ReceiptHandle } of Messages) {
            notes.push(NoteSchema.parse(JSON.parse(Body)));
            await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
          }
        }
      },
    },
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
});
