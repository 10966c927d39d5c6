import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { planOf, type CloudPlan } from '#local-cloud/plan.ts';
import { readAssembly, TemplateUnsupported } from '#local-cloud/template.ts';

export const fixtureAssembly = join(import.meta.dirname, 'fixtures', 'assembly');
const place = { region: 'eu-west-1', accountId: '000000000000', sqsEndpoint: 'http://127.0.0.1:9' };
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** The fixture with one resource of its flow stack changed. */
async function planWith(logicalId: string, change: object): Promise<CloudPlan> {
  const folder = await mkdtemp(join(tmpdir(), 'assembly-'));
  folders.push(folder);
  await cp(fixtureAssembly, folder, { recursive: true });
  const file = join(folder, 'flow.template.json');
  const template = JSON.parse(await readFile(file, 'utf8')) as { Resources: Record<string, object> };
  template.Resources[logicalId] = { ...template.Resources[logicalId], ...change };
  await writeFile(file, JSON.stringify(template));
  return planOf(readAssembly(folder), place);
}

describe('a synthesized app', () => {
  const plan = planOf(readAssembly(fixtureAssembly), place);

  it('has its resources under names that are the same each time', () => {
    expect(plan.tables.map(({ name }) => name)).toEqual(['fixture-store-TasksB1D6A021']);
    expect(plan.buckets).toEqual([{ name: 'fixture-store-inbound4f2a11bc' }]);
    expect(plan.queues.map(({ name }) => name)).toEqual([
      'fixture-flow-DeadLetters9AA1',
      'fixture-flow-Work77E01D1A',
      'fixture-outcomes',
    ]);
    expect(planOf(readAssembly(fixtureAssembly), place)).toEqual(plan);
  });

  it('resolves references within a stack and across stacks', () => {
    expect(plan.functions[0]?.environment).toEqual({
      OUTCOMES_URL: 'http://127.0.0.1:9/000000000000/fixture-outcomes',
      TASKS_TABLE: 'fixture-store-TasksB1D6A021',
      WHERE: 'aws:eu-west-1:000000000000',
      TOPIC_NAME: 'fixture-flow-Notifications3C0D',
      SUBSTITUTED: 'aws/fixture-outcomes/${literal}',
      CHOSEN: 'no',
    });
    expect(plan.receiptRules).toEqual([
      {
        name: 'assistant',
        ruleSet: 'fixture',
        recipients: ['assistant@example.com'],
        scan: true,
        actions: [
          {
            bucket: 'fixture-store-inbound4f2a11bc',
            prefix: 'inbound/',
            topicArn: 'arn:aws:sns:eu-west-1:000000000000:fixture-flow-Notifications3C0D',
          },
        ],
      },
    ]);
  });

  it('joins queue and function with the batch settings of the mapping', () => {
    expect(plan.eventSources).toEqual([
      {
        functionName: 'fixture-flow-WorkFunctionA1B2C3D4',
        queueArn: 'arn:aws:sqs:eu-west-1:000000000000:fixture-flow-Work77E01D1A',
        batchSize: 10,
        windowSeconds: 0,
        reportsFailures: true,
        maximumConcurrency: 2,
      },
    ]);
    expect(plan.queues[1]?.attributes).toEqual({
      VisibilityTimeout: '60',
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: 'arn:aws:sqs:eu-west-1:000000000000:fixture-flow-DeadLetters9AA1',
        maxReceiveCount: 2,
      }),
    });
  });

  it('takes the code of a function from the asset that would be uploaded', () => {
    const [work] = plan.functions;
    expect(work).toMatchObject({
      caller: 'Work',
      bundleDir: join(fixtureAssembly, 'asset.work'),
      handler: 'index.handler',
      timeoutSeconds: 2,
      memoryMb: 128,
      reservedConcurrency: 2,
    });
  });
});

describe('what cannot run here is refused by name', () => {
  it.each([
    [
      'a kind of resource it does not know',
      'Work77E01D1A',
      { Type: 'AWS::Kinesis::Stream' },
      /Work77E01D1A.*AWS::Kinesis/,
    ],
    [
      'an intrinsic it does not know',
      'Outcomes',
      { Properties: { QueueName: { 'Fn::Cidr': ['10.0.0.0/8', 1, 1] } } },
      /Outcomes.*Fn::Cidr/,
    ],
    [
      'an attribute it does not know',
      'Outcomes',
      { Properties: { QueueName: { 'Fn::GetAtt': ['Notifications3C0D', 'Colour'] } } },
      /AWS::SNS::Topic has no attribute Colour/,
    ],
    [
      'a reference to nothing',
      'Outcomes',
      { Properties: { QueueName: { Ref: 'Nobody' } } },
      /no resource or parameter Nobody/,
    ],
    [
      'a name that refers to itself',
      'Outcomes',
      { Properties: { QueueName: { Ref: 'Outcomes' } } },
      /refers to itself/,
    ],
    [
      'an import that nobody exports',
      'Outcomes',
      { Properties: { QueueName: { 'Fn::ImportValue': 'x' } } },
      /exports x/,
    ],
    [
      'a receipt action it does not have',
      'Rule',
      { Properties: { RuleSetName: 'r', Rule: { Enabled: true, Actions: [{ BounceAction: {} }] } } },
      /Rule.*BounceAction|only an S3 action/s,
    ],
    [
      'an event source that is no queue',
      'WorkSource',
      { Properties: { FunctionName: { Ref: 'WorkFunctionA1B2C3D4' }, EventSourceArn: 'arn:aws:kinesis:x' } },
      /only queues/,
    ],
  ])('%s', async (_what, logicalId, change, message) => {
    const planning = planWith(logicalId, change);
    await expect(planning).rejects.toThrow(TemplateUnsupported);
    await expect(planning).rejects.toThrow(message);
  });

  it('a folder without an assembly', () => {
    expect(() => readAssembly(tmpdir())).toThrow(/manifest.json cannot be read/);
  });
});
