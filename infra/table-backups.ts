import { Duration } from 'aws-cdk-lib';
import {
  CfnBackupPlan,
  CfnBackupSelection,
  CfnBackupVault,
  CfnRestoreTestingPlan,
  CfnRestoreTestingSelection,
} from 'aws-cdk-lib/aws-backup';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import {
  AnyPrincipal,
  Effect,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import {
  backupPermissions,
  type BackupResources,
  restoreTestPermissions,
  tableWrites,
} from './backup-permissions.ts';
import type { Settings } from './config.ts';
import { deploymentNames } from './names.ts';
import { removalPolicy } from './removal.ts';
import { deny } from './statements.ts';
import { neverAllowed } from './zone-boundary.ts';

/** What is backed up, and who hears of a failure. */
export interface TableBackupsProps {
  readonly settings: Settings;
  readonly tables: readonly ITable[];
  readonly encryptionKey: IKey;
  readonly topic: ITopic;
}

/**
 * A backup of the tables each night, kept for 35 days, and each week a restore of the newest one into a table of its
 * own that AWS Backup removes again. It is for what point-in-time recovery is not: a table that is gone.
 *
 * The vault bucket is not among it: its blobs are named by their content and never change, deleted ones stay as old
 * versions for a year, and each machine of the owner has them all.
 */
export class TableBackups extends Construct {
  private readonly props: TableBackupsProps;

  constructor(scope: Construct, id: string, props: TableBackupsProps) {
    super(scope, id);
    this.props = props;
    const vault = this.vault();
    const resources: BackupResources = {
      tables: props.tables,
      encryptionKey: props.encryptionKey,
      vaultArn: vault.attrBackupVaultArn,
    };
    const boundary = this.boundary(resources);
    const role = (name: string, statements: PolicyStatement[]): Role =>
      new Role(this, name, {
        assumedBy: new ServicePrincipal('backup.amazonaws.com'),
        permissionsBoundary: boundary,
        inlinePolicies: { work: new PolicyDocument({ statements }) },
      });
    this.backUp(vault, role('BackupRole', backupPermissions(resources)));
    this.tryRestores(vault, role('RestoreTestRole', restoreTestPermissions(resources)));
    this.alarm('NotBackedUp', 'NumberOfBackupJobsFailed', 'Backup: the tables were not backed up.');
    this.alarm(
      'NotRestored',
      'NumberOfRestoreJobsFailed',
      'Backup: the newest backup could not be restored.',
    );
  }

  private vault(): CfnBackupVault {
    const { settings, encryptionKey } = this.props;
    const vault = new CfnBackupVault(this, 'Vault', {
      backupVaultName: deploymentNames(settings).prefix,
      encryptionKeyArn: encryptionKey.keyArn,
      // Dev is torn down with its backups; in prod nobody removes one before its time.
      ...(settings.stage === 'prod' && {
        lockConfiguration: { minRetentionDays: 7 },
        accessPolicy: new PolicyDocument({
          statements: [
            new PolicyStatement({
              sid: 'NobodyRemoves',
              effect: Effect.DENY,
              principals: [new AnyPrincipal()],
              actions: ['backup:DeleteRecoveryPoint', 'backup:UpdateRecoveryPointLifecycle'],
              resources: ['*'],
            }),
          ],
        }),
      }),
    });
    vault.applyRemovalPolicy(removalPolicy(settings));
    return vault;
  }

  // The roles' own work and, whatever is granted later, no sending, no acting through others, no write to the tables.
  private boundary(resources: BackupResources): ManagedPolicy {
    const { DenySending, DenyPaying, DenyActingThroughOthers, DenyWidening } = neverAllowed;
    return new ManagedPolicy(this, 'Boundary', {
      description: 'AI Employee: the most that the backup roles can do',
      statements: [
        ...backupPermissions(resources),
        ...restoreTestPermissions(resources),
        ...Object.entries({ DenySending, DenyPaying, DenyActingThroughOthers, DenyWidening }).map(
          ([sid, actions]) => deny(sid, actions ?? [], ['*']),
        ),
        deny(
          'DenyWritingToTheTables',
          tableWrites,
          resources.tables.map(({ tableArn }) => tableArn),
        ),
      ],
    });
  }

  private backUp(vault: CfnBackupVault, role: Role): void {
    const { prefix } = deploymentNames(this.props.settings);
    const plan = new CfnBackupPlan(this, 'Plan', {
      backupPlan: {
        backupPlanName: prefix,
        backupPlanRule: [
          {
            ruleName: 'nightly',
            targetBackupVault: vault.ref,
            scheduleExpression: 'cron(0 3 * * ? *)',
            startWindowMinutes: 60,
            completionWindowMinutes: 240,
            lifecycle: { deleteAfterDays: 35 },
          },
        ],
      },
    });
    new CfnBackupSelection(this, 'Selection', {
      backupPlanId: plan.attrBackupPlanId,
      backupSelection: {
        selectionName: 'tables',
        iamRoleArn: role.roleArn,
        resources: this.props.tables.map(({ tableArn }) => tableArn),
      },
    });
  }

  private tryRestores(vault: CfnBackupVault, role: Role): void {
    // Names of these two take letters, digits and underscores only.
    const restoreTestingPlanName = deploymentNames(this.props.settings).prefix.replaceAll('-', '_');
    const plan = new CfnRestoreTestingPlan(this, 'RestoreTest', {
      restoreTestingPlanName,
      scheduleExpression: 'cron(0 6 ? * SUN *)',
      startWindowHours: 4,
      recoveryPointSelection: {
        algorithm: 'LATEST_WITHIN_WINDOW',
        includeVaults: [vault.attrBackupVaultArn],
        recoveryPointTypes: ['SNAPSHOT'],
        selectionWindowDays: 7,
      },
    });
    new CfnRestoreTestingSelection(this, 'RestoreTestSelection', {
      restoreTestingPlanName,
      restoreTestingSelectionName: 'tables',
      protectedResourceType: 'DynamoDB',
      protectedResourceArns: this.props.tables.map(({ tableArn }) => tableArn),
      iamRoleArn: role.roleArn,
      validationWindowHours: 1,
    }).addResourceDependency(plan);
  }

  private alarm(id: string, metricName: string, what: string): void {
    new Alarm(this, id, {
      metric: new Metric({
        namespace: 'AWS/Backup',
        metricName,
        dimensionsMap: { ResourceType: 'DynamoDB' },
        period: Duration.days(1),
        statistic: 'Sum',
      }),
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // No job that day is no failure; a plan that starts none shows as missing backups in the vault.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `${what} See the failed job's message in AWS Backup; point-in-time recovery still holds meanwhile.`,
    }).addAlarmAction(new SnsAction(this.props.topic));
  }
}
