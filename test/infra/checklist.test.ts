import { beforeAll, describe, expect, it } from 'vitest';
import { DraftEnv } from '#lambdas/draft/env.ts';
import { TriageEnv } from '#lambdas/triage/env.ts';
import { allDeployments, type Deployment } from './deployments.ts';
import { mailRules } from './mail-rules.ts';
import { pipelineRules } from './pipeline-rules.ts';
import { rolesOf } from './policy.ts';
import { at, ofType } from './rule.ts';
import { storageRules } from './storage-rules.ts';

const checklist = [...storageRules, ...mailRules, ...pipelineRules];

let deployments: Deployment[];

beforeAll(async () => {
  deployments = await allDeployments();
}, 60_000);

describe('the templates of every stage and profile', () => {
  it.each(checklist)('$name', ({ problems }) => {
    expect(deployments.map((d) => [d.name, problems(d)])).toEqual(deployments.map((d) => [d.name, []]));
  });
});

describe('a planted violation is noticed', () => {
  it.each(checklist)('$name', ({ problems, plant, plantIn = 'prod lean' }) => {
    const broken = structuredClone(deployment(plantIn));
    plant(broken);
    expect(problems(broken)).not.toEqual([]);
  });
});

describe('what goes from infrastructure to code', () => {
  it.each([
    ['Triage', TriageEnv],
    ['Draft', DraftEnv],
  ])('the environment of %s is what its schema takes', (name, schema) => {
    for (const d of deployments) {
      const [environment] = ofType(d, 'AWS::Lambda::Function')
        .filter(({ id }) => id.startsWith(name))
        .map((found) => at(found, 'Environment.Variables'));
      expect(schema.parse(environment)).toMatchObject({
        OWN_ADDRESSES: ['assistant@example.com', 'owner@example.com'],
      });
      expect(Object.keys(environment as object).sort()).toEqual(Object.keys(schema.shape).sort());
    }
  });

  it('the pipeline stack puts out what an agent and the local cloud set themselves up by', () => {
    for (const { stage, outputs } of deployments) {
      expect(outputs).toEqual({
        TasksTable: expect.stringMatching(`^ai-employee-${stage}-storage-tasks`) as string,
        LedgerTable: expect.stringMatching(`^ai-employee-${stage}-storage-ledger`) as string,
        InboundBucket: expect.stringMatching(`^ai-employee-${stage}-storage-inbound`) as string,
        VaultBucket: expect.stringMatching(`^ai-employee-${stage}-storage-vault`) as string,
        VaultSecretArn: expect.stringMatching(/^arn:aws:secretsmanager:.*vaultsecret/) as string,
        InboundQueueUrl: expect.stringMatching(/^https:.*inboundmailqueue/) as string,
        DraftingQueueUrl: expect.stringMatching(/^https:.*draftingqueue/) as string,
        Region: 'eu-central-1',
        AssistantAddress: 'assistant@example.com',
        FromAddress: 'assistant@example.com',
        OwnAddresses: 'assistant@example.com,owner@example.com',
      });
    }
  });
});

describe('what each role may do, exactly', () => {
  const shared = [
    'dynamodb:GetItem on table/tasks',
    'dynamodb:UpdateItem on table/tasks',
    'dynamodb:GetItem on table/ledger',
    'dynamodb:PutItem on table/ledger',
    'dynamodb:Query on table/ledger',
    's3:GetObject on vault/blobs/*',
    's3:PutObject on vault/blobs/*',
    'secretsmanager:GetSecretValue on secret:vaultsecret',
  ];
  const logs = (group: string): string[] => [
    `logs:CreateLogStream on log-group:${group}:*`,
    `logs:PutLogEvents on log-group:${group}:*`,
  ];
  const consume = (queue: string): string[] =>
    ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage'].map(
      (action) => `sqs:${action} on ${queue}`,
    );
  const golden = {
    Triage: [
      ...shared,
      ...logs('triagelogs'),
      ...consume('inboundmailqueue'),
      's3:GetObject on inbound/inbound/*',
      'sqs:SendMessage on draftingqueue',
    ],
    Draft: [...shared, ...logs('draftlogs'), ...consume('draftingqueue')],
  };
  const full = [
    'kms:Decrypt on key/key',
    'kms:GenerateDataKey on key/key',
    'xray:PutTelemetryRecords on *',
    'xray:PutTraceSegments on *',
  ];

  it.each(['dev lean', 'prod lean', 'dev full', 'prod full'])('in %s', (name) => {
    const actual = Object.fromEntries(
      rolesOf(deployment(name)).map(({ role, granted }) => [
        role.id.replace(/Role.*/, ''),
        granted
          .flatMap(({ Action = [], Resource = [] }) =>
            Action.flatMap((a) => Resource.map((r) => `${a} on ${short(r)}`)),
          )
          .sort(),
      ]),
    );
    const extra = name.endsWith('full') ? full : [];
    expect(actual).toEqual({
      Triage: [...golden.Triage, ...extra].sort(),
      Draft: [...golden.Draft, ...extra].sort(),
    });
  });
});

describe('the lean profile', () => {
  it('idles at no more than a dollar a month', () => {
    for (const d of deployments.filter(({ profile }) => profile === 'lean')) {
      // us-east-1, per month: $0.40 a secret, $0.10 an alarm, $1 a customer key. Nothing else here costs while idle.
      const cents =
        40 * ofType(d, 'AWS::SecretsManager::Secret').length +
        10 * ofType(d, 'AWS::CloudWatch::Alarm').length +
        100 * ofType(d, 'AWS::KMS::Key').length;
      expect(cents).toBe(80);
      const free = /^AWS::(S3|SES|SNS|SQS|DynamoDB|IAM|Lambda|Logs)::|^AWS::SecretsManager::Secret$|::Alarm$/;
      expect(d.resources.filter(({ type }) => !free.test(type))).toEqual([]);
    }
  });
});

function deployment(name: string): Deployment {
  const found = deployments.find((d) => d.name === name);
  if (found === undefined) throw new Error(`There is no deployment ${name}`);
  return found;
}

/** A resource's ARN without account, stack prefix and the hash at the end of its logical id. */
function short(arn: string): string {
  return arn
    .replace(/^arn:aws:[a-z0-9]+:[^:]*:[^:]*:/, '')
    .replace(/ai-employee-(dev|prod)-(storage|mail|pipeline)-/, '')
    .replace(/^([a-z-]*[/:]?[a-z]+?)[0-9a-f]{8}(-AbCdEf)?(?=$|[/:])/, '$1');
}
