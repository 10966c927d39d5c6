import { neverAllowed } from '#infra/zone-boundary.ts';
import type { Deployment } from './deployments.ts';
import { rolesOf } from './policy.ts';
import { account, region } from './resolve.ts';
import { at, nameOf, named, ofType, put, sameJson, text, unlike, type Rule } from './rule.ts';

const backupTypes = [
  'BackupVault',
  'BackupPlan',
  'BackupSelection',
  'RestoreTestingPlan',
  'RestoreTestingSelection',
].map((kind) => `AWS::Backup::${kind}`);
const tables = (d: Deployment): string[] =>
  ofType(d, 'AWS::DynamoDB::Table').map(
    (table) => `arn:aws:dynamodb:${region}:${account}:table/${nameOf(table)}`,
  );
const backupRoles = (d: Deployment): ReturnType<typeof rolesOf> =>
  rolesOf(d).filter(({ trust }) => JSON.stringify(trust).includes('backup.amazonaws.com'));

/** Rules about recovery and cost. */
export const operationsRules: readonly Rule[] = [
  {
    name: 'the owner is told by mail before the month’s budget is spent',
    problems: (d: Deployment): string[] => {
      const subscribers = [{ Address: 'owner@example.com', SubscriptionType: 'EMAIL' }];
      return unlike(ofType(d, 'AWS::Budgets::Budget'), {
        'Budget.BudgetType': 'COST',
        'Budget.TimeUnit': 'MONTHLY',
        'Budget.BudgetLimit': { Amount: 5, Unit: 'USD' },
        // Of the whole account: a filter by a tag that is not activated for billing never sees anything.
        'Budget.CostFilters': (value) => value === undefined,
        'NotificationsWithSubscribers.0.Notification.NotificationType': 'ACTUAL',
        'NotificationsWithSubscribers.0.Notification.Threshold': 80,
        'NotificationsWithSubscribers.0.Subscribers': subscribers,
        'NotificationsWithSubscribers.1.Notification.NotificationType': 'FORECASTED',
        'NotificationsWithSubscribers.1.Notification.Threshold': 100,
        'NotificationsWithSubscribers.1.Subscribers': subscribers,
      }).concat(ofType(d, 'AWS::Budgets::Budget').length === 1 ? [] : ['there is not exactly one budget']);
    },
    plant: (d) =>
      put(
        named(d, 'AWS::Budgets::Budget', 'MonthlyBudget'),
        'NotificationsWithSubscribers.0.Subscribers',
        [],
      ),
  },
  {
    name: 'the full profile backs up every table each night and tries a restore each week; the lean one pays for neither',
    problems: (d: Deployment): string[] => {
      const count = d.profile === 'full' ? 1 : 0;
      return backupTypes
        .filter((type) => ofType(d, type).length !== count)
        .concat(
          unlike(ofType(d, 'AWS::Backup::BackupPlan'), {
            'BackupPlan.BackupPlanRule.0.ScheduleExpression': 'cron(0 3 * * ? *)',
            'BackupPlan.BackupPlanRule.0.Lifecycle.DeleteAfterDays': 35,
          }),
          unlike(ofType(d, 'AWS::Backup::BackupSelection'), {
            'BackupSelection.Resources': (arns) => sameJson(arns, tables(d)),
          }),
          unlike(ofType(d, 'AWS::Backup::RestoreTestingPlan'), {
            ScheduleExpression: 'cron(0 6 ? * SUN *)',
            'RecoveryPointSelection.Algorithm': 'LATEST_WITHIN_WINDOW',
          }),
          unlike(ofType(d, 'AWS::Backup::RestoreTestingSelection'), {
            ProtectedResourceType: 'DynamoDB',
            ProtectedResourceArns: (arns) => sameJson(arns, tables(d)),
          }),
        );
    },
    plant: (d) =>
      put(named(d, 'AWS::Backup::BackupSelection', 'Backups'), 'BackupSelection.Resources.1', undefined),
    plantIn: 'prod full',
  },
  {
    name: 'backups are under the customer key, and in prod nobody removes one before its time',
    problems: (d) =>
      unlike(ofType(d, 'AWS::Backup::BackupVault'), {
        EncryptionKeyArn: (arn) => /:key\//.test(text(arn)),
        'LockConfiguration.MinRetentionDays': (days) =>
          d.stage === 'prod' ? days === 7 : days === undefined,
        'AccessPolicy.Statement.0': (statement) =>
          d.stage === 'dev' ||
          (/"Effect":"Deny"/.test(JSON.stringify(statement)) &&
            /"backup:DeleteRecoveryPoint"/.test(JSON.stringify(statement))),
      }),
    plant: (d) => put(named(d, 'AWS::Backup::BackupVault', 'Backups'), 'LockConfiguration', undefined),
    plantIn: 'prod full',
  },
  {
    name: 'a failed backup or restore tells somebody',
    problems: (d) =>
      ['NumberOfBackupJobsFailed', 'NumberOfRestoreJobsFailed'].filter(
        (metric) =>
          ofType(d, 'AWS::CloudWatch::Alarm').filter(
            (alarm) =>
              at(alarm, 'MetricName') === metric &&
              at(alarm, 'Threshold') === 0 &&
              text(at(alarm, 'AlarmActions.0')).includes('alarms'),
          ).length !== (d.profile === 'full' ? 1 : 0),
      ),
    plant: (d) => put(named(d, 'AWS::CloudWatch::Alarm', 'BackupsNotRestored'), 'AlarmActions', []),
    plantIn: 'dev full',
  },
  {
    name: 'the backup roles are AWS Backup’s alone, and can neither send nor act through others nor write to a table',
    problems: (d) =>
      backupRoles(d)
        .flatMap(({ role, trust, boundary = [] }) => {
          const denied = (wanted: readonly string[], on: readonly string[]): boolean =>
            boundary.some(
              (s) =>
                s.Effect === 'Deny' &&
                sameJson(s.Action, wanted) &&
                sameJson(s.Resource?.toSorted(), [...on].sort()),
            );
          const {
            DenySending = [],
            DenyPaying = [],
            DenyActingThroughOthers = [],
            DenyWidening = [],
          } = neverAllowed;
          return [
            ...[DenySending, DenyPaying, DenyActingThroughOthers, DenyWidening]
              .filter((actions) => !denied([...actions].sort(), ['*']) && !denied(actions, ['*']))
              .map((actions) => `${role.id} may ${actions[0] ?? ''}`),
            ...(denied(
              ['dynamodb:BatchWriteItem', 'dynamodb:DeleteItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
              tables(d),
            )
              ? []
              : [`${role.id} may write to the tables`]),
            ...(sameJson(trust[0]?.Principal, { Service: ['backup.amazonaws.com'] }) && trust.length === 1
              ? []
              : [`${role.id} is not Backup's alone`]),
          ];
        })
        .concat(backupRoles(d).length === (d.profile === 'full' ? 2 : 0) ? [] : ['wrong number of roles']),
    plant: (d) => put(named(d, 'AWS::IAM::Role', 'BackupsBackupRole'), 'PermissionsBoundary', undefined),
    plantIn: 'prod full',
  },
];
