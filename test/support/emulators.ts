import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from '#local-cloud/aws-client.ts';
import { CallLog, type Intercept } from '#local-cloud/call-log.ts';
import { credentialsOf, type Credentials } from '#local-cloud/credentials.ts';
import { startCloudWatch } from '#local-cloud/emulators/cloudwatch.ts';
import { startDynamodb } from '#local-cloud/emulators/dynamodb.ts';
import { startObjectAndQueues, type QueueDepth } from '#local-cloud/emulators/object-and-queues.ts';
import type { RotationFunctions } from '#local-cloud/emulators/secret-rotation.ts';
import { startSecretsManager } from '#local-cloud/emulators/secrets-manager.ts';
import type { SentMail } from '#local-cloud/emulators/ses-outbox.ts';
import { startSes } from '#local-cloud/emulators/ses.ts';
import { startSts } from '#local-cloud/emulators/sts.ts';
import type { Endpoints } from '#local-cloud/endpoints.ts';
import { makeTable } from '#local-cloud/provision.ts';

/** Every emulator on free ports, in memory, without functions or a template. */
export interface TestEmulators {
  region: string;
  endpoints: Endpoints;
  calls: CallLog;
  /** Mails that went out so far, oldest first. */
  sent: SentMail[];
  outboxDir: string;
  /** Makes tables, buckets and queues without an SDK client; its calls are those of `platform`. */
  platform: AwsClient;
  /** Makes a table by its keys, such as `{ vaultId: 'S', n: 'N' }`: partition key, then sort key. */
  createTable: (name: string, keys: Readonly<Record<string, 'S' | 'N'>>) => Promise<void>;
  queueDepths: () => Record<string, QueueDepth>;
  /** What a client is made with, as `#adapters/client-options.ts` takes it. @default caller 'test' */
  clientOptions: (caller?: string) => { region: string; endpoints: Endpoints; credentials: Credentials };
  close: () => Promise<void>;
}

/** @see startEmulators */
export interface TestEmulatorOptions {
  /** May refuse calls. */
  policy?: Intercept;
  /** Keeps state; the caller removes it. */
  dataDir?: string;
  identities?: readonly string[];
  /** What rotates secrets. */
  functions?: RotationFunctions;
}

/** Starts all emulators; some tens of milliseconds. */
export async function startEmulators(options: TestEmulatorOptions = {}): Promise<TestEmulators> {
  const region = 'us-east-1';
  const accountId = '000000000000';
  const calls = new CallLog(options.policy);
  const { intercept } = calls;
  const outboxDir = await mkdtemp(join(tmpdir(), 'outbox-'));
  const sent: SentMail[] = [];
  const kept = options.dataDir === undefined ? {} : { dataDir: options.dataDir };
  const path = options.dataDir === undefined ? {} : { path: join(options.dataDir, 'dynamodb') };
  const functions = options.functions === undefined ? {} : { functions: options.functions };
  const identities = options.identities === undefined ? {} : { identities: options.identities };

  const objects = await startObjectAndQueues({ intercept, region, ...kept });
  const dynamodb = await startDynamodb({ intercept, ...path });
  const secrets = await startSecretsManager({ intercept, region, accountId, ...kept, ...functions });
  const sts = await startSts({
    intercept,
    accountId,
    arnOf: (key) => `arn:aws:iam::${accountId}:user/${key}`,
  });
  const ses = await startSes({ intercept, outboxDir, onSent: (mail) => sent.push(mail), ...identities });
  const cloudwatch = await startCloudWatch({ intercept });

  const endpoints: Endpoints = {
    dynamodb: dynamodb.endpoint,
    s3: objects.endpoint,
    sns: objects.endpoint,
    sqs: objects.endpoint,
    ses: ses.endpoint,
    secretsmanager: secrets.endpoint,
    sts: sts.endpoint,
    cloudwatch: cloudwatch.endpoint,
  };
  const platform = new AwsClient(endpoints, credentialsOf('platform'), region);
  return {
    region,
    endpoints,
    calls,
    sent,
    outboxDir,
    platform,
    createTable: (name, keys) =>
      makeTable(platform, {
        name,
        AttributeDefinitions: Object.entries(keys).map(([AttributeName, AttributeType]) => ({
          AttributeName,
          AttributeType,
        })),
        KeySchema: Object.keys(keys).map((AttributeName, index) => ({
          AttributeName,
          KeyType: index === 0 ? 'HASH' : 'RANGE',
        })),
      }),
    queueDepths: objects.queueDepths,
    clientOptions: (caller = 'test') => ({ region, endpoints, credentials: credentialsOf(caller) }),
    close: async () => {
      platform.close();
      await Promise.all([objects, dynamodb, secrets, sts, ses, cloudwatch].map((each) => each.close()));
      await rm(outboxDir, { recursive: true, force: true });
    },
  };
}
