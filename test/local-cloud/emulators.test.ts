import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetItemCommand, ListBackupsCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import {
  GetIdentityVerificationAttributesCommand,
  GetSendQuotaCommand,
  SendEmailCommand,
  SendRawEmailCommand,
  VerifyEmailIdentityCommand,
} from '@aws-sdk/client-ses';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulators, type TestEmulators } from '#test/support/emulators.ts';
import { sdkClients, type SdkClients } from './clients.ts';

let emulators: TestEmulators;
let aws: SdkClients;

beforeAll(async () => {
  emulators = await startEmulators({ identities: ['example.com'] });
  aws = sdkClients(emulators);
});
afterAll(() => emulators.close());

describe('DynamoDB', () => {
  it('takes one of many conditional puts for the same key', async () => {
    await emulators.createTable('race', { id: 'S' });
    const puts = Array.from({ length: 32 }, () =>
      aws.dynamodb.send(
        new PutItemCommand({
          TableName: 'race',
          Item: { id: { S: 'one' } },
          ConditionExpression: 'attribute_not_exists(id)',
        }),
      ),
    );
    const results = await Promise.allSettled(puts);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('refuses an operation it does not have', async () => {
    await expect(aws.dynamodb.send(new ListBackupsCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
  });

  it('survives a client that breaks off in the middle of its request', async () => {
    const { port } = new URL(emulators.endpoints.dynamodb);
    await new Promise<void>((resolve) => {
      const headers = { 'content-length': 1000, 'x-amz-target': 'DynamoDB_20120810.PutItem' };
      const half = request({ port, host: '127.0.0.1', method: 'POST', headers });
      half.on('error', () => undefined);
      half.on('close', () => resolve());
      half.write('{"TableName":', () => half.destroy());
    });
    await emulators.createTable('after', { id: 'S' });
  });
});

describe('S3', () => {
  it('keeps an object of 40 MB, and an empty one', async () => {
    await emulators.platform.createBucket('large');
    const Body = Buffer.alloc(40 * 1024 * 1024, 'x');
    await aws.s3.send(new PutObjectCommand({ Bucket: 'large', Key: 'a/b c', Body }));
    await aws.s3.send(new PutObjectCommand({ Bucket: 'large', Key: 'empty', Body: Buffer.alloc(0) }));
    const { ContentLength } = await aws.s3.send(new GetObjectCommand({ Bucket: 'large', Key: 'a/b c' }));
    const { Contents } = await aws.s3.send(new ListObjectsV2Command({ Bucket: 'large' }));
    expect([ContentLength, Contents?.map(({ Size }) => Size)]).toEqual([Body.length, [Body.length, 0]]);
  });

  it('refuses a second put under If-None-Match', async () => {
    await emulators.platform.createBucket('once');
    const put = new PutObjectCommand({ Bucket: 'once', Key: 'k', Body: 'first', IfNoneMatch: '*' });
    await aws.s3.send(put);
    await expect(aws.s3.send(put)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  it('refuses a subresource instead of overwriting the object with it', async () => {
    await emulators.platform.createBucket('tagged');
    await aws.s3.send(new PutObjectCommand({ Bucket: 'tagged', Key: 'k', Body: 'content' }));
    const tag = new PutObjectTaggingCommand({ Bucket: 'tagged', Key: 'k', Tagging: { TagSet: [] } });
    await expect(aws.s3.send(tag)).rejects.toMatchObject({ name: 'NotImplemented' });
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: 'tagged', Key: 'k' }));
    expect(await Body?.transformToString()).toBe('content');
  });
});

describe('SES', () => {
  const raw = Buffer.from(
    'From: Us <us@example.com>\r\nTo: header@example.org\r\nIn-Reply-To: <a@b>\r\nX-Odd: 1\r\nSubject: =?utf-8?Q?gr=C3=BCn?=\r\n\r\ntext\r\n',
  );

  it('keeps the bytes it was given and sends to Destinations, not to the headers', async () => {
    const { MessageId } = await aws.ses.send(
      new SendRawEmailCommand({
        RawMessage: { Data: raw },
        Source: 'us@example.com',
        Destinations: ['bo@example.net', 'Al <al@example.net>'],
        Tags: [{ Name: 'taskId', Value: 't1' }],
      }),
    );
    const mail = emulators.sent.find(({ messageId }) => messageId === MessageId);
    const side: unknown = JSON.parse(await readFile((mail?.file ?? '').replace(/eml$/, 'json'), 'utf8'));
    expect(await readFile(mail?.file ?? '')).toEqual(raw);
    expect(mail?.subject).toBe('grün');
    expect(side).toMatchObject({
      messageId: MessageId,
      source: 'us@example.com',
      destinations: ['bo@example.net', 'al@example.net'],
      tags: { taskId: 't1' },
    });
  });

  it('takes the recipients of the headers where none are given', async () => {
    const { MessageId } = await aws.ses.send(new SendRawEmailCommand({ RawMessage: { Data: raw } }));
    const mail = emulators.sent.find(({ messageId }) => messageId === MessageId);
    expect([mail?.source, mail?.destinations]).toEqual(['us@example.com', ['header@example.org']]);
  });

  it('composes a simple mail', async () => {
    const { MessageId } = await aws.ses.send(
      new SendEmailCommand({
        Source: 'us@example.com',
        Destination: { ToAddresses: ['a@example.org'], BccAddresses: ['b@example.org'] },
        Message: { Subject: { Data: 'Grüße' }, Body: { Text: { Data: 'Tschüß' } } },
      }),
    );
    const mail = emulators.sent.find(({ messageId }) => messageId === MessageId);
    expect([mail?.subject, mail?.destinations]).toEqual(['Grüße', ['a@example.org', 'b@example.org']]);
    expect(await readFile(mail?.file ?? '', 'utf8')).toContain(Buffer.from('Tschüß').toString('base64'));
  });

  it('refuses an unverified sender, a mail without recipients and one without From', async () => {
    const before = await readdir(emulators.outboxDir).catch(() => []);
    const send = (text: string, destinations?: string[]) =>
      aws.ses.send(
        new SendRawEmailCommand({ RawMessage: { Data: Buffer.from(text) }, Destinations: destinations }),
      );
    await expect(send('From: a@other.example\r\n\r\n', ['b@example.org'])).rejects.toThrow(/not verified/);
    await expect(send('From: a@example.com\r\n\r\n')).rejects.toThrow(/no recipients/);
    await expect(send('Subject: x\r\n\r\n', ['b@example.org'])).rejects.toThrow(/'From'/);
    expect(await readdir(emulators.outboxDir)).toEqual(before);
  });

  it('answers for quota and identities, and refuses what it does not know', async () => {
    const { Max24HourSend } = await aws.ses.send(new GetSendQuotaCommand({}));
    const { VerificationAttributes } = await aws.ses.send(
      new GetIdentityVerificationAttributesCommand({ Identities: ['example.com', 'other.example'] }),
    );
    expect(Max24HourSend).toBe(50_000);
    expect(VerificationAttributes?.['example.com']?.VerificationStatus).toBe('Success');
    expect(VerificationAttributes?.['other.example']?.VerificationStatus).toBe('Pending');
    const unknown = new VerifyEmailIdentityCommand({ EmailAddress: 'a@example.com' });
    await expect(aws.ses.send(unknown)).rejects.toThrow(/does not know VerifyEmailIdentity/);
  });
});

describe('Secrets Manager', () => {
  it('moves AWSCURRENT to a new version and leaves the old one as AWSPREVIOUS', async () => {
    await aws.secrets.send(new CreateSecretCommand({ Name: 'keys', SecretString: 'one' }));
    await aws.secrets.send(new PutSecretValueCommand({ SecretId: 'keys', SecretString: 'two' }));
    const get = (VersionStage?: string) =>
      aws.secrets.send(new GetSecretValueCommand({ SecretId: 'keys', VersionStage }));
    const [current, previous] = await Promise.all([get(), get('AWSPREVIOUS')]);
    expect([current.SecretString, previous.SecretString]).toEqual(['two', 'one']);
  });

  it('rotates by stage, and finds a secret by its ARN', async () => {
    const { ARN, VersionId: old } = await aws.secrets.send(
      new CreateSecretCommand({ Name: 'rotated', SecretString: 'one' }),
    );
    const { VersionId: fresh } = await aws.secrets.send(
      new PutSecretValueCommand({ SecretId: ARN, SecretString: 'two', VersionStages: ['AWSPENDING'] }),
    );
    await aws.secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId: ARN,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: fresh,
        RemoveFromVersionId: old,
      }),
    );
    const { VersionIdsToStages } = await aws.secrets.send(new DescribeSecretCommand({ SecretId: ARN }));
    expect(VersionIdsToStages).toEqual({
      [String(old)]: ['AWSPREVIOUS'],
      [String(fresh)]: ['AWSPENDING', 'AWSCURRENT'],
    });
  });

  it('refuses to move or take off a stage as AWS does', async () => {
    const { ARN: SecretId, VersionId: first } = await aws.secrets.send(
      new CreateSecretCommand({ Name: 'staged', SecretString: 'one' }),
    );
    const { VersionId: second } = await aws.secrets.send(
      new PutSecretValueCommand({ SecretId, SecretString: 'two', VersionStages: ['AWSPENDING'] }),
    );
    const move = (input: object) =>
      aws.secrets.send(
        new UpdateSecretVersionStageCommand({ SecretId, VersionStage: 'AWSCURRENT', ...input }),
      );
    const refused = (message: string) => ({
      name: 'InvalidParameterException',
      message: expect.stringContaining(message) as string,
    });
    const attached = `Staging label AWSCURRENT is currently attached to version ${first}, so you must explicitly reference that version in RemoveFromVersionId.`;
    await expect(move({ MoveToVersionId: second })).rejects.toMatchObject(
      refused(`The parameter RemoveFromVersionId can't be empty. ${attached}`),
    );
    await expect(move({ MoveToVersionId: second, RemoveFromVersionId: second })).rejects.toMatchObject(
      refused(attached),
    );
    await expect(move({ RemoveFromVersionId: first })).rejects.toMatchObject(
      refused('You can only move staging label AWSCURRENT to a different secret version.'),
    );
    const get = new GetSecretValueCommand({ SecretId, VersionId: second, VersionStage: 'AWSCURRENT' });
    await expect(aws.secrets.send(get)).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'You provided a VersionStage that is not associated to the provided VersionId.',
    });
    await expect(
      aws.secrets.send(
        new PutSecretValueCommand({ SecretId, SecretString: 'three', ClientRequestToken: second }),
      ),
    ).rejects.toMatchObject({
      name: 'ResourceExistsException',
      message: expect.stringContaining(`You can't use ClientRequestToken ${second}`) as string,
    });
  });

  it('says what it cannot find and what it does not know', async () => {
    const missing = new GetSecretValueCommand({ SecretId: 'nothing' });
    await expect(aws.secrets.send(missing)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const unknown = new TagResourceCommand({ SecretId: 'keys', Tags: [] });
    await expect(aws.secrets.send(unknown)).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });
});

describe('STS and CloudWatch', () => {
  it('tells the caller who it is', async () => {
    const { Arn } = await sdkClients(emulators, 'agent').sts.send(new GetCallerIdentityCommand({}));
    expect(Arn).toContain('AKIALOCALAGENT');
  });

  it('refuses a metric without a name', async () => {
    const answer = await fetch(emulators.endpoints.cloudwatch, {
      method: 'POST',
      headers: { 'x-amz-target': 'GraniteServiceVersion20100801.PutMetricData' },
      body: JSON.stringify({ Namespace: 'n', MetricData: [{}] }),
    });
    expect(answer.status).toBe(400);
  });
});

describe('the call log', () => {
  it('tells callers and operations apart', async () => {
    await emulators.platform.createBucket('counted');
    emulators.calls.clear();
    const agent = sdkClients(emulators, 'agent');
    await agent.s3.send(new PutObjectCommand({ Bucket: 'counted', Key: 'k', Body: 'x' }));
    await aws.s3.send(new GetObjectCommand({ Bucket: 'counted', Key: 'k' }));
    await agent.secrets.send(new GetSecretValueCommand({ SecretId: 'none' })).catch(() => undefined);
    const { calls } = emulators;
    expect(calls.total({ accessKeyId: 'AKIALOCALAGENT' })).toBe(2);
    expect(calls.list({ accessKeyId: 'AKIALOCALAGENT' }).map(({ operation }) => operation)).toEqual([
      'PutObject',
      'GetSecretValue',
    ]);
    expect(calls.total({ service: 's3', operation: 'GetObject' })).toBe(1);
  });

  it('lets a policy refuse a call of any service, before it has an effect', async () => {
    const strict = await startEmulators({
      policy: ({ accessKeyId }) => (accessKeyId === 'AKIALOCALTEST' ? { message: 'not for you' } : undefined),
    });
    try {
      const denied = sdkClients(strict);
      const owner = sdkClients(strict, 'owner');
      await strict.createTable('strict', { id: 'S' });
      await strict.platform.createBucket('strict');
      const attempts = [
        denied.s3.send(new PutObjectCommand({ Bucket: 'strict', Key: 'k', Body: 'x' })),
        denied.sqs.send(new CreateQueueCommand({ QueueName: 'q' })),
        denied.dynamodb.send(new GetItemCommand({ TableName: 'strict', Key: { id: { S: 'x' } } })),
        denied.secrets.send(new CreateSecretCommand({ Name: 's', SecretString: 'x' })),
        denied.ses.send(
          new SendRawEmailCommand({ RawMessage: { Data: Buffer.from('From: a@b.c\r\n\r\n') } }),
        ),
        denied.sts.send(new GetCallerIdentityCommand({})),
      ];
      const outcomes = await Promise.allSettled(attempts);
      expect(outcomes.map((outcome) => outcome.status === 'rejected' && String(outcome.reason))).toEqual(
        attempts.map((): unknown => expect.stringContaining('not for you')),
      );
      const { Contents } = await owner.s3.send(new ListObjectsV2Command({ Bucket: 'strict' }));
      expect([Contents, strict.sent, strict.calls.list().filter(({ denied: no }) => no).length]).toEqual([
        undefined,
        [],
        attempts.length,
      ]);
    } finally {
      await strict.close();
    }
  });
});

describe('a data folder', () => {
  it('keeps tables, objects, messages and secrets over a restart, and no secret is readable for others', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'emulators-'));
    const first = await startEmulators({ dataDir });
    try {
      const before = sdkClients(first);
      await first.createTable('kept', { id: 'S' });
      await before.dynamodb.send(new PutItemCommand({ TableName: 'kept', Item: { id: { S: 'one' } } }));
      await first.platform.createBucket('kept');
      await before.s3.send(new PutObjectCommand({ Bucket: 'kept', Key: 'k', Body: 'content' }));
      const { QueueUrl } = await before.sqs.send(new CreateQueueCommand({ QueueName: 'kept' }));
      await before.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'taken' }));
      await before.sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 600 }));
      await before.secrets.send(new CreateSecretCommand({ Name: 'kept', SecretString: 'hush' }));
    } finally {
      await first.close();
    }
    const second = await startEmulators({ dataDir });
    try {
      const after = sdkClients(second);
      const item = new GetItemCommand({ TableName: 'kept', Key: { id: { S: 'one' } } });
      expect((await after.dynamodb.send(item)).Item).toEqual({ id: { S: 'one' } });
      const { Body } = await after.s3.send(new GetObjectCommand({ Bucket: 'kept', Key: 'k' }));
      expect(await Body?.transformToString()).toBe('content');
      const { SecretString } = await after.secrets.send(new GetSecretValueCommand({ SecretId: 'kept' }));
      expect(SecretString).toBe('hush');
      expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o077).toBe(0);
      // Whoever held the message ended with the first process, so it is there at once.
      const QueueUrl = `${second.endpoints.sqs}/000000000000/kept`;
      const { Messages } = await after.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      expect(Messages?.map((message) => message.Body)).toEqual(['taken']);
    } finally {
      await second.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it('makes a message visible again without losing it', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'emulators-'));
    const kept = await startEmulators({ dataDir });
    try {
      const { sqs } = sdkClients(kept);
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'again' }));
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
      const { Messages: [first] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      await sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl,
          ReceiptHandle: first?.ReceiptHandle,
          VisibilityTimeout: 0,
        }),
      );
      const { Messages: [second] = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['All'] }),
      );
      expect([second?.Body, second?.Attributes?.['ApproximateReceiveCount']]).toEqual(['hello', '2']);
    } finally {
      await kept.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
