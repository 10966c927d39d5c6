import { z } from 'zod';
import { ASSUMPTIONS } from './assumptions.ts';
import { backupCharges, restoreTestCharges } from './backup-prices.ts';
import type { Charge } from './price-list.ts';
import { rotationCharges } from './rotation-prices.ts';
import type { TemplateResource } from './templates.ts';

/**
 * What a resource costs in a month in which nothing happens. @throws {z.ZodError} when it is set up in a way that has
 * a price which is not known here.
 */
export type IdlePrice = (
  resource: TemplateResource,
  all: readonly TemplateResource[],
) => readonly Omit<Charge, 'what'>[];

const SECONDS_A_MONTH = ASSUMPTIONS.hoursAMonth * 3600;
const free: IdlePrice = () => [];
const one =
  (price: string): IdlePrice =>
  () => [{ price, quantity: 1 }];

/** Every type of resource that may be in a template, with its price at rest. What is not here has to be looked up. */
export const RESOURCE_PRICES: Readonly<Record<string, IdlePrice>> = {
  'AWS::CloudWatch::Alarm': ({ properties }) => {
    const { Period = 60, Metrics } = Alarm.parse(properties);
    // Metric math is paid by the metric that goes in.
    const stats = Metrics?.flatMap(({ MetricStat }) => (MetricStat === undefined ? [] : [MetricStat]));
    const periods = stats?.map((stat) => stat.Period) ?? [Period];
    return periods.map((seconds) => ({
      price: seconds < 60 ? 'alarm-high-resolution' : 'alarm-standard',
      quantity: 1,
    }));
  },
  'AWS::CloudWatch::CompositeAlarm': one('alarm-composite'),
  'AWS::CloudWatch::Dashboard': one('dashboard'),
  'AWS::Logs::MetricFilter': ({ properties }) => {
    const { MetricTransformations } = z
      .object({ MetricTransformations: z.array(z.unknown()) })
      .parse(properties);
    return [{ price: 'custom-metric', quantity: MetricTransformations.length }];
  },
  'AWS::Logs::LogGroup': ({ properties }) => {
    // Without a retention the price has no end.
    z.object({ RetentionInDays: z.int().positive() }).parse(properties);
    return [{ price: 'logs-storage', quantity: ASSUMPTIONS.logGroupGb }];
  },
  'AWS::SecretsManager::Secret': ({ properties }) => {
    const { ReplicaRegions } = z
      .object({ ReplicaRegions: z.array(z.unknown()).default([]) })
      .parse(properties);
    return [{ price: 'secret', quantity: 1 + ReplicaRegions.length }];
  },
  // The first two rotations add a dollar a month each; this is the price of its first year.
  'AWS::KMS::Key': one('kms-key'),
  'AWS::DynamoDB::Table': ({ properties }) => {
    const { PointInTimeRecoverySpecification: recovery } = Table.parse(properties);
    const quantity = ASSUMPTIONS.tableGb;
    return [
      { price: 'dynamodb-storage', quantity },
      ...(recovery?.PointInTimeRecoveryEnabled === true ? [{ price: 'dynamodb-pitr', quantity }] : []),
    ];
  },
  'AWS::S3::Bucket': () => [{ price: 's3-storage', quantity: ASSUMPTIONS.bucketGb }],
  'AWS::Lambda::EventSourceMapping': ({ properties }) => {
    // Provisioned pollers are paid by the hour.
    z.object({ ProvisionedPollerConfig: z.undefined().optional() }).parse(properties);
    // To read a table's stream costs a function nothing; everything else is taken for a queue.
    if (JSON.stringify(properties['EventSourceArn']).includes('StreamArn')) return [];
    const polls = (ASSUMPTIONS.pollersAQueue * SECONDS_A_MONTH) / ASSUMPTIONS.pollSeconds;
    return [{ price: 'sqs-request', quantity: polls }];
  },
  'AWS::SecretsManager::RotationSchedule': rotationCharges,
  'AWS::SSM::Parameter': ({ properties }) =>
    properties['Tier'] === 'Advanced' ? [{ price: 'ssm-advanced-parameter', quantity: 1 }] : [],
  'AWS::Scheduler::Schedule': () => [
    { price: 'schedule-invocation', quantity: SECONDS_A_MONTH / 60 / ASSUMPTIONS.scheduleMinutes },
  ],
  'AWS::Backup::BackupPlan': backupCharges,
  'AWS::Backup::RestoreTestingPlan': restoreTestCharges,
  'AWS::Budgets::BudgetsAction': () => [{ price: 'budget-action', quantity: ASSUMPTIONS.hoursAMonth / 24 }],
  // The first copy of management events has no price; data events come with the calls that cause them.
  'AWS::CloudTrail::Trail': free,
  ...Object.fromEntries(
    [
      ...['AWS::AccessAnalyzer::Analyzer', 'AWS::Backup::BackupSelection', 'AWS::Backup::BackupVault'],
      ...['AWS::Backup::RestoreTestingSelection', 'AWS::Budgets::Budget', 'AWS::CDK::Metadata'],
      ...['AWS::CloudFormation::CustomResource', 'AWS::Events::Rule', 'AWS::IAM::ManagedPolicy'],
      ...['AWS::IAM::Policy', 'AWS::IAM::Role', 'AWS::IAM::RolePolicy', 'AWS::KMS::Alias'],
      ...['AWS::Lambda::EventInvokeConfig', 'AWS::Lambda::Function', 'AWS::Lambda::Permission'],
      ...['AWS::Logs::QueryDefinition', 'AWS::Logs::ResourcePolicy', 'AWS::Logs::SubscriptionFilter'],
      ...['AWS::RolesAnywhere::CRL', 'AWS::RolesAnywhere::Profile', 'AWS::RolesAnywhere::TrustAnchor'],
      ...['AWS::S3::BucketPolicy', 'AWS::SecretsManager::ResourcePolicy'],
      ...['AWS::SES::ConfigurationSet'],
      ...['AWS::SES::ConfigurationSetEventDestination', 'AWS::SES::EmailIdentity'],
      ...['AWS::SES::ReceiptFilter', 'AWS::SES::ReceiptRule', 'AWS::SES::ReceiptRuleSet'],
      ...[
        'AWS::SNS::Subscription',
        'AWS::SNS::Topic',
        'AWS::SNS::TopicPolicy',
        'AWS::SNS::TopicInlinePolicy',
      ],
      ...['AWS::SQS::Queue', 'AWS::SQS::QueueInlinePolicy', 'AWS::SQS::QueuePolicy'],
    ].map((type) => [type, free]),
  ),
};

/** The price of a type; custom resources are functions that run while the stacks change. */
export function priceOfType(type: string): IdlePrice | undefined {
  return type.startsWith('Custom::') ? free : RESOURCE_PRICES[type];
}

const Alarm = z.object({
  Period: z.number().optional(),
  Metrics: z
    .array(z.object({ MetricStat: z.object({ Period: z.number() }).optional() }))
    .min(1)
    .optional(),
});

const Table = z.object({
  // Provisioned capacity is paid by the hour.
  BillingMode: z.literal('PAY_PER_REQUEST'),
  PointInTimeRecoverySpecification: z.object({ PointInTimeRecoveryEnabled: z.boolean() }).optional(),
});
