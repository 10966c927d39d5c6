import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createTransport } from 'nodemailer';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AwsClient } from '#local-cloud/aws-client.ts';
import { PortInUse } from '#local-cloud/emulators/listen.ts';
import { startLocalCloud, type LocalCloud, type LocalCloudOptions } from '#local-cloud/local-cloud.ts';

const assemblyDir = join(import.meta.dirname, 'fixtures', 'assembly');
const WORK = 'fixture-flow-Work77E01D1A';
const DEAD = 'fixture-flow-DeadLetters9AA1';
/** Longer than a loaded machine takes to start a function and to run it into its timeout. */
const RETRY_SECONDS = 4;
const cleanUp: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

async function start(options: Partial<LocalCloudOptions> = {}): Promise<LocalCloud> {
  const cloud = await startLocalCloud({ assemblyDir, ...options });
  cleanUp.push(() => cloud.close());
  return cloud;
}

/** A call of the owner, to put work in and to take reports out. */
async function asOwner(cloud: LocalCloud, operation: string, input: object): Promise<unknown> {
  const client = new AwsClient(cloud.endpoints, cloud.credentialsFor('owner'), cloud.region);
  return client.json('sqs', operation, input).finally(() => client.close());
}

async function order(cloud: LocalCloud, ...orders: string[]): Promise<void> {
  const Entries = orders.map((order, index) => ({
    Id: String(index),
    MessageBody: JSON.stringify({ do: order }),
  }));
  const QueueUrl = cloud.outputs['WorkQueueUrl'];
  await asOwner(cloud, 'SendMessageBatch', { QueueUrl, Entries });
}

const Report = z.object({
  order: z.object({ do: z.string().optional() }),
  record: z.looseObject({ body: z.string(), attributes: z.record(z.string(), z.string()) }),
  invocations: z.number(),
  batch: z.number(),
  remainingMs: z.number(),
  receivedAtMs: z.number(),
  functionName: z.string(),
  environment: z.record(z.string(), z.string()),
});

/** What the function reported so far, at most ten. */
async function reports(cloud: LocalCloud): Promise<z.infer<typeof Report>[]> {
  const answer = await asOwner(cloud, 'ReceiveMessage', {
    QueueUrl: cloud.outputs['OutcomesUrl'],
    MaxNumberOfMessages: 10,
  });
  const { Messages } = z
    .object({ Messages: z.array(z.object({ Body: z.string() })).default([]) })
    .parse(answer);
  return Messages.map(({ Body }) => Report.parse(JSON.parse(Body)));
}

function send(
  cloud: LocalCloud,
  raw: string | Buffer,
  envelope: { from: string; to: string },
): Promise<unknown> {
  const [host, port] = cloud.smtp.split(':');
  const transport = createTransport({ host, port: Number(port), ignoreTLS: true });
  return transport.sendMail({ envelope, raw }).finally(() => transport.close());
}

const envelope = { from: 'alice@example.org', to: 'assistant@example.com' };

describe('mail', () => {
  it('comes in by SMTP and reaches the function as SES says it', async () => {
    const cloud = await start();
    await send(
      cloud,
      'From: =?utf-8?Q?=C3=81lice?= <alice@example.org>\r\nTo: "Vale, Robin" <assistant@example.com>, b@example.org\r\n' +
        'Subject: a\r\n folded one\r\n\r\nhello\r\n',
      envelope,
    );
    await cloud.settle();
    const [report] = await reports(cloud);
    const notification = JSON.parse(report?.record.body ?? '{}') as { mail: { messageId: string } };
    const { messageId } = notification.mail;
    expect(messageId).toMatch(/^[a-z0-9]{40}$/);
    expect(notification).toMatchObject({
      notificationType: 'Received',
      mail: {
        source: 'alice@example.org',
        destination: ['assistant@example.com'],
        headersTruncated: false,
        commonHeaders: {
          from: ['Álice <alice@example.org>'],
          to: ['"Vale, Robin" <assistant@example.com>', 'b@example.org'],
          subject: 'a folded one',
          returnPath: 'alice@example.org',
        },
      },
      receipt: {
        recipients: ['assistant@example.com'],
        dmarcVerdict: { status: 'PASS' },
        action: {
          type: 'S3',
          bucketName: cloud.outputs['ExportsOutputRefInbound4F2A11BC'],
          objectKey: `inbound/${messageId}`,
        },
      },
    });
    const s3 = new S3Client({
      region: cloud.region,
      endpoint: cloud.endpoints.s3,
      forcePathStyle: true,
      credentials: cloud.credentialsFor('owner'),
    });
    const { Body } = await s3.send(
      new GetObjectCommand({
        Bucket: cloud.outputs['ExportsOutputRefInbound4F2A11BC'],
        Key: `inbound/${messageId}`,
      }),
    );
    const stored = (await Body?.transformToString()) ?? '';
    expect(stored.startsWith('Return-Path: <alice@example.org>\r\n')).toBe(true);
    expect(stored.endsWith('Subject: a\r\n folded one\r\n\r\nhello\r\n')).toBe(true);
  });

  it('is handed to a warm function at once, not at the next poll', async () => {
    const received: number[] = [];
    const cloud = await start({ onReceived: () => received.push(Date.now()) });
    for (let index = 0; index < 5; index += 1) {
      await send(cloud, 'From: alice@example.org\r\n\r\n', envelope);
      await cloud.settle();
    }
    const delays = (await reports(cloud)).map(
      ({ receivedAtMs }, index) => receivedAtMs - (received[index] ?? 0),
    );
    // The first one may wait for the module to load; the median is what a person sees.
    expect(delays.sort((left, right) => left - right)[2]).toBeLessThan(250);
  });

  it('is refused for a recipient that no rule knows', async () => {
    const cloud = await start();
    const stranger = { ...envelope, to: 'nobody@example.com' };
    await expect(send(cloud, 'From: a@b.c\r\n\r\n', stranger)).rejects.toMatchObject({ responseCode: 550 });
    expect(cloud.calls.total({ operation: 'PutObject' })).toBe(0);
  });

  it('is refused above 40 MB, whether or not the client says so first', async () => {
    const cloud = await start();
    const large = Buffer.alloc(40 * 1024 * 1024 + 1, 'From: a@b.c\r\n\r\n' + 'x'.repeat(76) + '\r\n');
    await expect(send(cloud, large, envelope)).rejects.toMatchObject({ responseCode: 552 });
    expect(await sayWithoutSize(cloud.smtp, large)).toMatch(/^552/);
    expect(cloud.calls.total({ operation: 'PutObject' })).toBe(0);
  });

  it('has its header list cut at 10 KB in the notification', async () => {
    const cloud = await start();
    const many = Array.from({ length: 200 }, (_, index) => `X-${index}: ${'v'.repeat(90)}`).join('\r\n');
    await send(cloud, `From: alice@example.org\r\n${many}\r\n\r\n`, envelope);
    await cloud.settle();
    const [report] = await reports(cloud);
    const { mail } = z
      .object({ mail: z.object({ headersTruncated: z.boolean(), headers: z.array(z.unknown()) }) })
      .parse(JSON.parse(report?.record.body ?? '{}'));
    expect(mail.headersTruncated).toBe(true);
    expect(JSON.stringify(mail.headers).length).toBeLessThan(15_000);
  });
});

describe('a function', () => {
  it('runs in the environment of the template, with a key of its own and a context', async () => {
    const cloud = await start();
    await order(cloud, 'work');
    await cloud.settle();
    const [report] = await reports(cloud);
    expect(report?.functionName).toBe('fixture-flow-WorkFunctionA1B2C3D4');
    expect(report?.remainingMs).toBeGreaterThan(0);
    expect(report?.remainingMs).toBeLessThanOrEqual(2000);
    expect(report?.environment).toMatchObject({
      TASKS_TABLE: 'fixture-store-TasksB1D6A021',
      AWS_LAMBDA_FUNCTION_NAME: 'fixture-flow-WorkFunctionA1B2C3D4',
      AWS_ENDPOINT_URL_SQS: cloud.endpoints.sqs,
      AWS_ACCESS_KEY_ID: 'AKIALOCALWORK',
    });
    expect(report?.environment).not.toHaveProperty('HOME');
    expect(cloud.calls.total({ accessKeyId: 'AKIALOCALWORK' })).toBe(1);
  });

  it('is given what waits in one batch, and keeps its state between batches', async () => {
    const lines: string[] = [];
    const cloud = await start({ log: (_name, line) => lines.push(line) });
    await order(cloud, 'work', 'work', 'work');
    await cloud.settle();
    await order(cloud, 'work');
    await cloud.settle();
    const seen = await reports(cloud);
    expect(seen.map(({ batch, invocations }) => [batch, invocations])).toEqual([
      [3, 1],
      [3, 1],
      [3, 1],
      [1, 2],
    ]);
    expect(lines.filter((line) => line === 'did work')).toHaveLength(4);
  });

  it('returns only the messages that it reports as failed', async () => {
    const cloud = await start({ visibilityTimeoutSeconds: RETRY_SECONDS });
    await order(cloud, 'work', 'fail', 'work');
    await cloud.settle();
    const seen = await reports(cloud);
    const counts = seen.map(
      ({ order: { do: what }, record }) => `${what} ${record.attributes['ApproximateReceiveCount']}`,
    );
    expect(counts.sort()).toEqual(['fail 1', 'fail 2', 'work 1', 'work 1']);
    expect(cloud.queueDepths()).toMatchObject({
      [WORK]: { visible: 0, inFlight: 0 },
      [DEAD]: { visible: 1 },
    });
  });

  it.concurrent.for([
    ['throws', 'throw', /as ordered/],
    ['never ends', 'hang', /timed out after 2.00 seconds/],
    ['ends its process', 'exit', /exited with 3/],
    ['runs out of memory', 'exhaust', /memory/],
    ['reports a message that was not in the batch', 'misreport', /1 of 1 messages go back/],
  ] as const)(
    'that %s loses nothing: the message comes back and ends in the dead-letter queue',
    async ([_what, what, line], context) => {
      const lines: string[] = [];
      const log = (_name: string, text: string): number => lines.push(text);
      const cloud = await startLocalCloud({ assemblyDir, visibilityTimeoutSeconds: RETRY_SECONDS, log });
      context.onTestFinished(() => cloud.close());
      await order(cloud, what);
      await cloud.settle();
      const depths = cloud.queueDepths();
      context.expect((await reports(cloud)).length).toBe(2);
      context.expect(depths).toMatchObject({ [WORK]: { visible: 0, inFlight: 0 }, [DEAD]: { visible: 1 } });
      context.expect(lines.filter((text) => line.test(text)).length).toBeGreaterThanOrEqual(2);
      // A fresh instance takes the next message.
      await order(cloud, 'work');
      await cloud.settle();
      const next = await reports(cloud);
      context.expect(next.map(({ order: { do: done } }) => done)).toEqual(['work']);
    },
  );
});

describe('local clouds', () => {
  it('run side by side without seeing each other', async () => {
    const clouds = await Promise.all([start(), start(), start()]);
    await order(clouds[0], 'work');
    await Promise.all(clouds.map((cloud) => cloud.settle()));
    expect(await Promise.all(clouds.map(async (cloud) => (await reports(cloud)).length))).toEqual([1, 0, 0]);
  });

  it('keep their state in a data folder, and can be started on it again', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'local-cloud-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
    const first = await start({ dataDir });
    await order(first, 'work');
    await first.settle();
    await first.close();
    const second = await start({ dataDir });
    expect((await reports(second)).length).toBe(1);
    await order(second, 'work');
    await second.settle();
    expect((await reports(second)).length).toBe(1);
  });

  it('name the port that is taken, and leave none of their own open', async () => {
    const first = await start();
    const port = Number(new URL(first.endpoints.ses).port);
    await expect(startLocalCloud({ assemblyDir, ports: { ses: port } })).rejects.toMatchObject({
      service: 'ses',
      port,
    });
    const smtp = Number(first.smtp.split(':')[1]);
    await expect(startLocalCloud({ assemblyDir, ports: { smtp } })).rejects.toThrow(PortInUse);
  });
});

/** Sends DATA as a client that does not know the SIZE extension. @returns the answer to the data */
async function sayWithoutSize(smtp: string, data: Buffer): Promise<string> {
  const [host = '', port] = smtp.split(':');
  const socket = createConnection({ host, port: Number(port) });
  const lines: string[] = [];
  const answer = async (command: string | Buffer): Promise<string> => {
    socket.write(command);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    lines.push(chunk.toString('utf8'));
    return chunk.toString('utf8');
  };
  await once(socket, 'data');
  await answer('HELO client.example\r\n');
  await answer('MAIL FROM:<alice@example.org>\r\n');
  await answer('RCPT TO:<assistant@example.com>\r\n');
  await answer('DATA\r\n');
  const last = await answer(Buffer.concat([data, Buffer.from('\r\n.\r\n')]));
  socket.destroy();
  return last;
}
