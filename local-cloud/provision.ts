import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { PlatformCallFailed, type AwsClient } from './aws-client.ts';
import type { SecretProperties } from './plan-schemas.ts';
import type { CloudPlan } from './plan.ts';
import { TemplateUnsupported } from './template.ts';

/** @see provision */
export interface ProvisionOptions {
  /** Replaces the visibility timeout of every queue, so that a test sees a retry soon. */
  visibilityTimeoutSeconds?: number;
}

/**
 * Makes the tables, buckets, queues, topics, subscriptions, secrets and their schedules of a plan. Safe to run again on what
 * a former start left: what exists stays with its content; queue attributes are set anew.
 * @throws TemplateUnsupported for what cannot be made here
 * @throws PlatformCallFailed if an emulator refuses
 */
export async function provision(
  client: AwsClient,
  plan: CloudPlan,
  options: ProvisionOptions = {},
): Promise<void> {
  await Promise.all([
    ...plan.tables.map((table) => makeTable(client, table)),
    ...plan.buckets.map(({ name }) => client.createBucket(name)),
    ...plan.secrets.map((secret) => makeSecret(client, secret)),
    makeQueuesAndTopics(client, plan, options),
  ]);
  for (const rotation of plan.rotations) await schedule(client, rotation);
}

/** As CloudFormation does it; the functions are not up yet, so that none is tried out. */
async function schedule(client: AwsClient, rotation: CloudPlan['rotations'][number]): Promise<void> {
  await client.json('secretsmanager', 'RotateSecret', {
    SecretId: rotation.secretArn,
    RotationLambdaARN: rotation.functionArn,
    ...(rotation.rules === undefined ? {} : { RotationRules: rotation.rules }),
    RotateImmediately: false,
  });
}

const Description = z.object({ Table: z.object({ TableStatus: z.string() }) });

/** Makes a table if it is not there yet, and waits until it can be written. @throws PlatformCallFailed */
export async function makeTable(client: AwsClient, table: CloudPlan['tables'][number]): Promise<void> {
  const { name: TableName, ...definition } = table;
  const input = { TableName, BillingMode: 'PAY_PER_REQUEST', ...definition };
  await unless('ResourceInUseException', client.json('dynamodb', 'CreateTable', input));
  for (;;) {
    const description = Description.parse(await client.json('dynamodb', 'DescribeTable', { TableName }));
    if (description.Table.TableStatus === 'ACTIVE') return;
    await setTimeout(1);
  }
}

async function makeSecret(client: AwsClient, secret: CloudPlan['secrets'][number]): Promise<void> {
  const value = secret.SecretString ?? generated(secret.GenerateSecretString);
  const input = {
    Name: secret.name,
    ...(secret.Description === undefined ? {} : { Description: secret.Description }),
    ...(value === undefined ? {} : { SecretString: value }),
  };
  await unless('ResourceExistsException', client.json('secretsmanager', 'CreateSecret', input));
}

async function makeQueuesAndTopics(
  client: AwsClient,
  plan: CloudPlan,
  options: ProvisionOptions,
): Promise<void> {
  await Promise.all([
    ...plan.queues.map(async ({ name, url, attributes }) => {
      await client.json('sqs', 'CreateQueue', { QueueName: name });
      const Attributes = {
        ...attributes,
        ...(options.visibilityTimeoutSeconds === undefined
          ? {}
          : { VisibilityTimeout: String(options.visibilityTimeoutSeconds) }),
      };
      if (Object.keys(Attributes).length === 0) return;
      await client.json('sqs', 'SetQueueAttributes', { QueueUrl: url, Attributes });
    }),
    ...plan.topics.map(({ name }) => client.sns('CreateTopic', { Name: name })),
  ]);
  for (const subscription of plan.subscriptions) await subscribe(client, subscription);
}

async function subscribe(client: AwsClient, subscription: CloudPlan['subscriptions'][number]): Promise<void> {
  const { TopicArn, Protocol, Endpoint, RawMessageDelivery, FilterPolicy, FilterPolicyScope } = subscription;
  // Alarms to a person's mailbox: nothing raises them here.
  if (Protocol === 'email' || Protocol === 'email-json') return;
  if (Protocol !== 'sqs') {
    throw new TemplateUnsupported(`The local cloud's SNS delivers to queues only, not by ${Protocol}.`);
  }
  const attributes = {
    ...(RawMessageDelivery ? { RawMessageDelivery: 'true' } : {}),
    ...(FilterPolicy === undefined ? {} : { FilterPolicy: JSON.stringify(FilterPolicy) }),
    ...(FilterPolicyScope === undefined ? {} : { FilterPolicyScope }),
  };
  const entries = Object.entries(attributes).flatMap(([key, value], index): [string, string][] => [
    [`Attributes.entry.${index + 1}.key`, key],
    [`Attributes.entry.${index + 1}.value`, value],
  ]);
  await client.sns('Subscribe', { TopicArn, Protocol, Endpoint, ...Object.fromEntries(entries) });
}

async function unless(errorCode: string, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (error instanceof PlatformCallFailed && error.errorCode === errorCode) return;
    throw error;
  }
}

const CHARACTERS = {
  ExcludeLowercase: 'abcdefghijklmnopqrstuvwxyz',
  ExcludeUppercase: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  ExcludeNumbers: '0123456789',
  ExcludePunctuation: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
} as const;

/** What CloudFormation puts into a secret that is generated. */
function generated(rule: z.infer<typeof SecretProperties>['GenerateSecretString']): string | undefined {
  if (rule === undefined) return undefined;
  const allowed = Object.entries(CHARACTERS)
    .filter(([flag]) => rule[flag as keyof typeof CHARACTERS] !== true)
    .flatMap(([, characters]) => [...characters])
    .filter((character) => !rule.ExcludeCharacters.includes(character));
  const password = Array.from({ length: rule.PasswordLength }, () => allowed[randomInt(allowed.length)]).join(
    '',
  );
  if (rule.SecretStringTemplate === undefined || rule.GenerateStringKey === undefined) return password;
  return JSON.stringify({
    ...(JSON.parse(rule.SecretStringTemplate) as object),
    [rule.GenerateStringKey]: password,
  });
}
