import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { type SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClients, type AwsClients } from '#adapters/aws-clients.ts';
import { createS3MailSource } from '#adapters/s3-mail-source.ts';
import { createSecretSource, writeSecret } from '#adapters/secrets-manager-secret.ts';
import { createSesMailSender } from '#adapters/ses-mail-sender.ts';
import { createSqsQueue } from '#adapters/sqs-queue.ts';
import { startEmulators, type TestEmulators } from '#test/support/emulators.ts';
import { rawMail } from './raw-mail.ts';

let emulators: TestEmulators;
let clients: AwsClients;
beforeAll(async () => {
  emulators = await startEmulators();
  clients = createClients(emulators.clientOptions());
});
afterAll(async () => {
  clients.destroy();
  await emulators.close();
});

describe('the mail source on S3', () => {
  it('refuses a mail over the limit before it reads it', async () => {
    await emulators.platform.createBucket('inbound-bucket');
    const ref = { Bucket: 'inbound-bucket', Key: 'big' };
    await clients.s3.send(new PutObjectCommand({ ...ref, Body: Buffer.alloc(3 * 1024 * 1024) }));
    const source = createS3MailSource(clients.s3, { maxBytes: 2 * 1024 * 1024 });
    await expect(source.read({ bucket: ref.Bucket, key: ref.Key })).rejects.toMatchObject({
      code: 'MAIL_UNREADABLE',
      reason: 'it is larger than 2 MB',
    });
  });
});

describe('the mail sender on SES', () => {
  it('hands over the bytes, the envelope and the tags as they are', async () => {
    const raw = rawMail(
      'From: a@example.com',
      'To: shown@x.example',
      'In-Reply-To: <1@x.example>',
      'X-Own: yes',
      '',
      'Hé',
    );
    const sender = createSesMailSender(clients.ses);
    const { messageId } = await sender.send({
      raw,
      from: 'a@example.com',
      destinations: ['hidden@y.example', 'shown@x.example'],
      tags: { task: 't0123456789abcdef0123' },
    });
    expect(messageId).not.toBe('');
    const [sent] = emulators.sent;
    expect(sent).toMatchObject({ destinations: ['hidden@y.example', 'shown@x.example'] });
    const outbox = await readFile(sent?.file ?? '', 'utf8');
    expect(outbox).toContain('In-Reply-To: <1@x.example>');
    expect(outbox).toContain('X-Own: yes');
  });
});

describe('a secret', () => {
  it('is read as it was written last', async () => {
    await emulators.platform.json('secretsmanager', 'CreateSecret', { Name: 'vault', SecretString: 'first' });
    const { ARN = '' } = await clients.secrets.send(new GetSecretValueCommand({ SecretId: 'vault' }));
    const source = createSecretSource(clients.secrets, ARN);
    expect(await source.read()).toBe('first');
    await writeSecret(clients.secrets, ARN, 'second');
    expect(await source.read()).toBe('second');
  });

  it('that is missing is an error', async () => {
    await expect(createSecretSource(clients.secrets, 'none').read()).rejects.toThrow();
  });
});

describe('the queue on SQS', () => {
  type Entry = { Id: string; MessageBody: string };

  // No emulator answers a batch with entries that failed for reasons of its own.
  function flaky(failing: (call: number, entry: Entry) => 'fault' | 'sender' | undefined) {
    const calls: Entry[][] = [];
    const client = {
      send: async (command: SendMessageBatchCommand) => {
        const entries = (command.input.Entries ?? []) as Entry[];
        calls.push(entries);
        const Failed = entries.flatMap((entry) => {
          const why = failing(calls.length, entry);
          return why ? [{ Id: entry.Id, Code: 'Oops', SenderFault: why === 'sender' }] : [];
        });
        return { Failed };
      },
    };
    const anything = { parse: (value: unknown) => value as string };
    return {
      queue: createSqsQueue(client as unknown as SQSClient, 'https://queue.example', anything),
      calls,
    };
  }

  it('sends again what SQS did not take, and only that', async () => {
    const { queue, calls } = flaky((call, entry) =>
      call === 1 && entry.MessageBody === '"b"' ? 'fault' : undefined,
    );
    await queue.send(['a', 'b', 'c']);
    expect(calls.map((entries) => entries.map((entry) => entry.MessageBody))).toEqual([
      ['"a"', '"b"', '"c"'],
      ['"b"'],
    ]);
  });

  it('throws when SQS goes on refusing', async () => {
    const { queue, calls } = flaky(() => 'fault');
    await expect(queue.send(['a'])).rejects.toMatchObject({ code: 'QUEUE_SEND' });
    expect(calls).toHaveLength(4);
  });

  it('throws at once when the message itself is at fault', async () => {
    const { queue, calls } = flaky(() => 'sender');
    await expect(queue.send(['a'])).rejects.toMatchObject({ code: 'QUEUE_SEND' });
    expect(calls).toHaveLength(1);
  });

  it('never puts more bytes into a call than SQS takes', async () => {
    const { queue, calls } = flaky(() => undefined);
    await queue.send(Array.from({ length: 7 }, () => 'x'.repeat(100_000)));
    expect(calls.map((entries) => entries.length)).toEqual([2, 2, 2, 1]);
  });

  it('refuses a message that no call could carry', async () => {
    const { queue, calls } = flaky(() => undefined);
    await expect(queue.send(['x'.repeat(300_000)])).rejects.toMatchObject({ code: 'QUEUE_SEND' });
    expect(calls).toHaveLength(0);
  });
});
