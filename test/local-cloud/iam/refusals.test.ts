import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SendRawEmailCommand } from '@aws-sdk/client-ses';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, expect, it } from 'vitest';
import { enforce } from '#local-cloud/iam/enforcement.ts';
import type { Statement } from '#local-cloud/iam/policy.ts';
import type { CloudPlan } from '#local-cloud/plan.ts';
import { startEmulators, type TestEmulators } from '#test/support/emulators.ts';
import { sdkClients, type SdkClients } from '../clients.ts';

const place = { region: 'us-east-1', accountId: '000000000000' };
const SESSION = 'arn:aws:sts::000000000000:assumed-role/agent-role/agent';
let emulators: TestEmulators;

afterEach(() => emulators.close());

/** SDK clients of an agent that may do what the statements allow. */
async function agentWith(identity: Statement[]): Promise<SdkClients> {
  const role = {
    logicalId: 'AgentRole',
    name: 'agent-role',
    arn: 'arn:aws:iam::000000000000:role/agent-role',
    identity,
  };
  const nothing = {
    functions: [],
    eventSources: [],
    streamSources: [],
    queues: [],
    tables: [],
    secrets: [],
    identities: [],
  };
  const plan = { ...nothing, defaultConfigurationSets: {} } as unknown as CloudPlan;
  const { intercept } = enforce({ roles: [role], resources: new Map() }, plan, place);
  emulators = await startEmulators({ policy: intercept });
  await emulators.platform.createBucket('vault');
  return sdkClients(emulators, 'agent');
}

const QueueUrl = 'http://127.0.0.1:1/000000000000/work';
const raw = Buffer.from('From: a@example.com\r\nTo: b@example.org\r\n\r\n');

it('every service refuses in its own words', async () => {
  const { dynamodb, s3, secrets, ses, sqs, sts } = await agentWith([]);
  const attempts: [() => Promise<unknown>, string, number, string][] = [
    [
      () => dynamodb.send(new GetItemCommand({ TableName: 'tasks', Key: { id: { S: 'x' } } })),
      'AccessDeniedException',
      400,
      `User: ${SESSION} is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/tasks because no identity-based policy allows the dynamodb:GetItem action`,
    ],
    [
      () => s3.send(new PutObjectCommand({ Bucket: 'vault', Key: 'blobs/a b', Body: 'x' })),
      'AccessDenied',
      403,
      `User: ${SESSION} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::vault/blobs/a b" because no identity-based policy allows the s3:PutObject action`,
    ],
    [
      () => s3.send(new DeleteObjectsCommand({ Bucket: 'vault', Delete: { Objects: [{ Key: 'a&b' }] } })),
      'AccessDenied',
      403,
      `User: ${SESSION} is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::vault/a&b" because no identity-based policy allows the s3:DeleteObject action`,
    ],
    [
      () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })),
      'AccessDenied',
      403,
      `User: ${SESSION} is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:000000000000:work because no identity-based policy allows the sqs:sendmessage action`,
    ],
    [
      () => secrets.send(new GetSecretValueCommand({ SecretId: 'keys' })),
      'AccessDeniedException',
      400,
      `User: ${SESSION} is not authorized to perform: secretsmanager:GetSecretValue on resource: keys because no identity-based policy allows the secretsmanager:GetSecretValue action`,
    ],
    [
      () => ses.send(new SendRawEmailCommand({ RawMessage: { Data: raw } })),
      'AccessDenied',
      403,
      `User \`${SESSION}' is not authorized to perform \`ses:SendRawEmail' on resource \`arn:aws:ses:us-east-1:000000000000:identity/example.com'`,
    ],
  ];
  for (const [attempt, name, httpStatusCode, message] of attempts) {
    await expect(attempt()).rejects.toMatchObject({ name, message, $metadata: { httpStatusCode } });
  }
  expect(emulators.sent).toEqual([]);
  await expect(sts.send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
    Account: place.accountId,
  });
});

const reading: Statement = { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::vault/*'] };
const listing: Statement = { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: ['arn:aws:s3:::vault'] };

it.each([
  ['404 for whoever may list the bucket', [reading, listing], { name: 'NoSuchKey' }],
  [
    '403 for whoever may not',
    [reading],
    {
      name: 'AccessDenied',
      message: `User: ${SESSION} is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::vault" because no identity-based policy allows the s3:ListBucket action`,
    },
  ],
])('S3 answers for an object that is not there with %s', async (_, identity, expected) => {
  const { s3 } = await agentWith(identity);
  await emulators.platform.putObject('vault', 'there', Buffer.from('x'));
  await expect(s3.send(new GetObjectCommand({ Bucket: 'vault', Key: 'gone' }))).rejects.toMatchObject(
    expected,
  );
  await expect(s3.send(new HeadObjectCommand({ Bucket: 'vault', Key: 'there' }))).resolves.toMatchObject({
    ContentLength: 1,
  });
});
