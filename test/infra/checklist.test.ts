import { beforeAll, describe, expect, it } from 'vitest';
import { ArchiveEnv } from '#lambdas/archive/env.ts';
import { DraftEnv } from '#lambdas/draft/env.ts';
import { RotateEnv } from '#lambdas/rotate/env.ts';
import { TriageEnv } from '#lambdas/triage/env.ts';
import { accessRules } from './access-rules.ts';
import { allDeployments, type Deployment, deploymentsOf } from './deployments.ts';
import { mailRules } from './mail-rules.ts';
import { operationsRules } from './operations-rules.ts';
import { pipelineRules } from './pipeline-rules.ts';
import { proofRules } from './proof-rules.ts';
import { at, ofType } from './rule.ts';
import { rotationRules } from './rotation-rules.ts';
import { sendingRules } from './sending-rules.ts';
import { storageRules } from './storage-rules.ts';

const checklist = [
  ...storageRules,
  ...proofRules,
  ...mailRules,
  ...sendingRules,
  ...pipelineRules,
  ...rotationRules,
  ...accessRules,
  ...operationsRules,
];

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

describe('the schedule of the rotation', () => {
  it('is a setting', async () => {
    const [d] = await deploymentsOf([{ stage: 'dev', profile: 'lean', secretRotationDays: 7 }]);
    const schedules = d === undefined ? [] : ofType(d, 'AWS::SecretsManager::RotationSchedule');
    expect(schedules.map((schedule) => at(schedule, 'RotationRules'))).toEqual([
      { AutomaticallyAfterDays: 7 },
    ]);
  }, 60_000);
});

describe('what goes from infrastructure to code', () => {
  it.each([
    ['Triage', TriageEnv, ['assistant@example.com', 'owner@example.com']],
    ['Draft', DraftEnv, ['assistant@example.com', 'owner@example.com']],
    ['Rotate', RotateEnv, undefined],
    ['Archive', ArchiveEnv, undefined],
  ])('the environment of %s is what its schema takes', (name, schema, ownAddresses) => {
    for (const d of deployments) {
      const [environment] = ofType(d, 'AWS::Lambda::Function')
        .filter(({ id }) => id.startsWith(name))
        .map((found) => at(found, 'Environment.Variables'));
      const parsed: object = schema.parse(environment);
      expect('OWN_ADDRESSES' in parsed ? parsed.OWN_ADDRESSES : undefined).toEqual(ownAddresses);
      expect(Object.keys(environment as object).sort()).toEqual(Object.keys(schema.shape).sort());
    }
  });

  it('the pipeline stack puts out what an agent and the local cloud set themselves up by', () => {
    for (const { stage, outputs } of deployments) {
      expect(outputs).toEqual({
        TasksTable: expect.stringMatching(`^ai-employee-${stage}-storage-tasks`) as string,
        LedgerTable: expect.stringMatching(`^ai-employee-${stage}-storage-ledger`) as string,
        InboundBucket: expect.stringMatching(`^ai-employee-${stage}-storage-inbound`) as string,
        ArchiveBucket: expect.stringMatching(`^ai-employee-${stage}-storage-archive`) as string,
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

describe('the lean profile', () => {
  it('idles at no more than a dollar a month', () => {
    for (const d of deployments.filter(({ profile }) => profile === 'lean')) {
      // us-east-1, per month: $0.40 a secret, $1 a customer key, $0.10 an alarm beyond the ten that every account has
      // for nothing. Nothing else here costs while idle.
      const cents =
        40 * ofType(d, 'AWS::SecretsManager::Secret').length +
        10 * Math.max(0, ofType(d, 'AWS::CloudWatch::Alarm').length - 10) +
        100 * ofType(d, 'AWS::KMS::Key').length;
      expect(cents).toBe(40);
      expect(ofType(d, 'AWS::CloudWatch::Alarm')).toHaveLength(8);
      const free =
        /^AWS::(S3|SES|SNS|SQS|DynamoDB|IAM|Lambda|Logs|CloudTrail|Budgets)::|^AWS::SecretsManager::(Secret|RotationSchedule)$|::Alarm$/;
      expect(d.resources.filter(({ type }) => !free.test(type))).toEqual([]);
    }
  });
});

function deployment(name: string): Deployment {
  const found = deployments.find((d) => d.name === name);
  if (found === undefined) throw new Error(`There is no deployment ${name}`);
  return found;
}
