import { execFile } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { repositoryDir } from '#infra/paths.ts';
import { runsAMonth } from '../../bench/cost/backup-prices.ts';
import { featuresOf } from '../../bench/cost/features.ts';
import { idleCost, UnpricedResourcesError } from '../../bench/cost/idle-cost.ts';
import { readPrices, REGIONS, type PriceList } from '../../bench/cost/price-list.ts';
import { resourcesOf, type TemplateResource } from '../../bench/cost/templates.ts';

const STAGES = ['dev', 'prod'] as const;
const IDLE_LIMIT_USD = 1;
/** Nothing that is paid each month comes into the lean profile without this number being changed as well. */
const LIST_LIMIT_USD = 1.85;

const deployments = new Map<string, TemplateResource[]>();
let prices: PriceList;

beforeAll(async () => {
  prices = await readPrices('eu-central-1');
  for (const stage of STAGES)
    for (const profile of ['lean', 'full'] as const)
      deployments.set(`${stage} ${profile}`, await resourcesOf({ stage, profile }));
}, 120_000);

function resources(name: string): TemplateResource[] {
  const found = deployments.get(name);
  if (found === undefined) throw new Error(`there is no deployment ${name}`);
  return found;
}

function planted(type: string, properties: Record<string, unknown> = {}): TemplateResource {
  return { stack: 'ai-employee-dev-storage', id: 'Planted', type, properties };
}

describe('an idle month', () => {
  it.each(STAGES.flatMap((stage) => REGIONS.map((region) => [stage, region] as const)))(
    'costs at most a dollar in the lean profile of %s in %s, and not much more at list prices',
    async (stage, region) => {
      const { usd, listUsd } = idleCost(resources(`${stage} lean`), await readPrices(region));
      expect(usd).toBeGreaterThan(0);
      expect(usd).toBeLessThanOrEqual(IDLE_LIMIT_USD);
      expect(listUsd).toBeLessThanOrEqual(LIST_LIMIT_USD);
    },
  );

  it.each(['dev full', 'prod full'])('of %s is priced whole, its customer key included', (name) => {
    const { charges } = idleCost(resources(name), prices);
    expect(charges.filter(({ price }) => price === 'kms-key')).toHaveLength(1);
    expect(charges.every(({ usd }) => Number.isFinite(usd) && usd >= 0)).toBe(true);
  });

  it('has every alarm, secret and queue of the template in it', () => {
    const { charges } = idleCost(resources('prod lean'), prices);
    const count = (wanted: string): number =>
      resources('prod lean').filter(({ type }) => type === wanted).length;
    const charged = (wanted: string): number => charges.filter(({ price }) => price === wanted).length;
    expect(charged('alarm-standard')).toBe(count('AWS::CloudWatch::Alarm'));
    expect(charged('secret')).toBe(count('AWS::SecretsManager::Secret'));
    // One of the mappings reads a stream, which costs nothing.
    expect(charged('sqs-request')).toBe(count('AWS::Lambda::EventSourceMapping') - 1);
    expect(charged('dynamodb-pitr')).toBe(count('AWS::DynamoDB::Table'));
  });

  it('counts five long polls a queue, day and night, and only the first million of all as free', () => {
    const source = planted('AWS::Lambda::EventSourceMapping', { EventSourceArn: 'queue' });
    const [one, five] = [1, 5].map((sources) =>
      idleCost(Array<TemplateResource>(sources).fill(source), prices),
    );
    const polls = (5 * 730 * 3600) / 20;
    expect(one?.charges[0]).toMatchObject({ price: 'sqs-request', quantity: polls });
    expect(one?.allowances).toContainEqual(
      expect.objectContaining({ price: 'sqs-request', quantity: polls }),
    );
    expect(five?.allowances).toContainEqual(expect.objectContaining({ price: 'sqs-request', quantity: 1e6 }));
  });

  it.each([
    ['a customer key', planted('AWS::KMS::Key'), 1],
    ['a dashboard', planted('AWS::CloudWatch::Dashboard'), 3],
    ['a composite alarm', planted('AWS::CloudWatch::CompositeAlarm'), 0.5],
    ['one more secret', planted('AWS::SecretsManager::Secret'), 0.4],
    ['one more alarm', planted('AWS::CloudWatch::Alarm', { Period: 60 }), 0.1],
    ['an alarm every ten seconds', planted('AWS::CloudWatch::Alarm', { Period: 10 }), 0.3],
    [
      'an alarm on the sum of two metrics',
      planted('AWS::CloudWatch::Alarm', {
        Metrics: [{ Expression: 'a+b' }, { MetricStat: { Period: 60 } }, { MetricStat: { Period: 60 } }],
      }),
      0.2,
    ],
    ['a metric from a log', planted('AWS::Logs::MetricFilter', { MetricTransformations: [{}] }), 0.3],
    ['one more polled queue', planted('AWS::Lambda::EventSourceMapping', { EventSourceArn: 'queue' }), 0.26],
  ])('turns red by %s in the lean profile', (_, resource, atLeastUsd) => {
    const before = idleCost(resources('dev lean'), prices);
    const after = idleCost([...resources('dev lean'), resource], prices);
    expect(after.listUsd - before.listUsd).toBeGreaterThanOrEqual(atLeastUsd - 1e-9);
    expect(after.usd > IDLE_LIMIT_USD || after.listUsd > LIST_LIMIT_USD).toBe(true);
  });

  it('counts the rotations of a month, which double when they come twice as often', () => {
    const rotation = (AutomaticallyAfterDays: number): TemplateResource =>
      planted('AWS::SecretsManager::RotationSchedule', { RotationRules: { AutomaticallyAfterDays } });
    const [daily, half] = [1, 2].map((days) => idleCost([rotation(days)], prices));
    const seconds = (cost = daily): number =>
      cost?.charges.find(({ price }) => price === 'lambda-gb-second')?.quantity ?? 0;
    expect(seconds()).toBeCloseTo((730 / 24) * 4 * 3);
    expect(seconds()).toBeCloseTo(2 * seconds(half));
    expect(() => idleCost([planted('AWS::SecretsManager::RotationSchedule')], prices)).toThrow(
      UnpricedResourcesError,
    );
  });

  it.each([
    ['a type that nobody has priced', planted('AWS::EC2::NatGateway')],
    ['a private certificate authority', planted('AWS::ACMPCA::CertificateAuthority')],
    ['logs that are kept for ever', planted('AWS::Logs::LogGroup')],
    ['a table with provisioned capacity', planted('AWS::DynamoDB::Table', { BillingMode: 'PROVISIONED' })],
    [
      'pollers by the hour',
      planted('AWS::Lambda::EventSourceMapping', { ProvisionedPollerConfig: { MinimumPollers: 2 } }),
    ],
    [
      'a restore test of whatever there is',
      planted('AWS::Backup::RestoreTestingPlan', { ScheduleExpression: 'rate(1 day)' }),
    ],
  ])('is refused for %s rather than counted as nothing', (_, resource) => {
    const all = [...resources('dev lean'), resource];
    expect(() => idleCost(all, prices)).toThrow(UnpricedResourcesError);
    expect(() => idleCost(all, prices)).toThrow(`Planted: ${resource.type}`);
  });
});

describe('backups', () => {
  it.each([
    ['cron(0 5 * * ? *)', 30.4],
    ['cron(0 5 ? * SUN *)', 4.35],
    ['cron(0 5 ? * MON,THU *)', 8.69],
    ['cron(30 5 1 * ? *)', 1],
  ])('by %s run %d times a month', (schedule, runs) => {
    expect(runsAMonth(schedule)).toBeCloseTo(runs, 1);
  });

  it.each(['rate(1 hour)', 'cron(0 * * * ? *)', 'cron(0/15 5 * * ? *)'])('by %s are refused', (schedule) => {
    expect(() => runsAMonth(schedule)).toThrow(RangeError);
  });

  it('are paid by their number, and restores by what they try', () => {
    const backup = (type: string, properties: Record<string, unknown>): TemplateResource =>
      planted(`AWS::Backup::${type}`, properties);
    const table = planted('AWS::DynamoDB::Table', { BillingMode: 'PAY_PER_REQUEST' });
    const rule = { ScheduleExpression: 'cron(0 5 1 * ? *)', Lifecycle: { DeleteAfterDays: 90 } };
    const { charges } = idleCost(
      [
        ...[table, table],
        backup('BackupPlan', { BackupPlan: { BackupPlanRule: [rule] } }),
        backup('RestoreTestingPlan', { ScheduleExpression: 'cron(0 5 1 * ? *)' }),
        backup('RestoreTestingSelection', { ProtectedResourceArns: ['one', 'other'] }),
      ],
      prices,
    );
    const quantity = (wanted: string): number | undefined =>
      charges.find(({ price }) => price === wanted)?.quantity;
    expect(quantity('backup-storage')).toBeCloseTo(3 * 2 * 0.02);
    expect(quantity('backup-restore-test')).toBe(2);
  });
});

describe('what makes mails dearer', () => {
  it('is read from the templates', () => {
    const [lean, full] = ['dev lean', 'dev full'].map((name) => featuresOf(resources(name)));
    expect(lean).toMatchObject({ customerKey: false, tracing: false, customMetrics: 0 });
    expect(full).toMatchObject({ customerKey: true, tracing: true, customMetrics: 8 });
    expect(featuresOf([planted('AWS::CloudTrail::Trail')])).toMatchObject({ dataTrail: true });
  });
});

describe('the price file', () => {
  it('dates each price, and has the same ones in every region', async () => {
    for (const region of REGIONS) expect((await readPrices(region)).date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(() => prices.usd({ what: '', price: 'gold', quantity: 1 })).toThrow('has no price "gold"');
  });
});

describe('npm run cost', () => {
  const cost = (...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const program = path.join(repositoryDir, 'bench/cost/cost.ts');
      execFile(process.execPath, [program, ...args], (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, stdout, stderr });
      });
    });

  it('shows how by --help, with examples', async () => {
    const { code, stdout } = await cost('--help');
    expect(code).toBe(0);
    for (const option of ['--json', '--stage', '--profile', '--region', '--mails-a-month', 'Examples:'])
      expect(stdout).toContain(option);
  });

  it.each([
    [['--stage', 'test'], '--stage is "test"; it has to be dev or prod'],
    [['--region', 'mars'], '--region is "mars"; it has to be eu-central-1 or us-east-1'],
    [['--mails-a-month', '-1'], 'mails-a-month'],
    [['--cheap'], '--cheap'],
    [['more'], 'more'],
  ])('refuses %j', async (args, why) => {
    const { code, stdout, stderr } = await cost(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
  });
});
