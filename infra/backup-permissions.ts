import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { allow, viaServices } from './statements.ts';

/** What AWS Backup works on. */
export interface BackupResources {
  readonly tables: readonly ITable[];
  readonly encryptionKey: IKey;
  readonly vaultArn: string;
}

/** What a restore may change in a table that it made itself, and nobody may in a table it restores from. */
export const tableWrites = [
  'dynamodb:BatchWriteItem',
  'dynamodb:DeleteItem',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
];

/**
 * All that taking backups needs. AWS's own managed policy would do as well, for every table, disk and bucket of the
 * account and with their deletion.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html
 */
export function backupPermissions(resources: BackupResources): PolicyStatement[] {
  return [
    allow(
      'BackUpTables',
      ['dynamodb:DescribeTable', 'dynamodb:ListTagsOfResource', 'dynamodb:StartAwsBackupJob'],
      resources.tables.map(({ tableArn }) => tableArn),
    ),
    allow('IntoVault', ['backup:CopyIntoBackupVault', 'backup:DescribeBackupVault'], [resources.vaultArn]),
    ...keyUse('Backup', resources.encryptionKey),
  ];
}

/** All that trying a restore needs: AWS Backup names the tables it makes for it, and removes them afterwards. */
export function restoreTestPermissions(resources: BackupResources): PolicyStatement[] {
  const stack = Stack.of(resources.encryptionKey);
  const restored = stack.formatArn({
    service: 'dynamodb',
    resource: 'table',
    resourceName: 'awsbackup-restore-test-*',
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
  return [
    allow(
      'RestoreTables',
      ['dynamodb:RestoreTableFromAwsBackup'],
      [...resources.tables.map(({ tableArn }) => tableArn), restored],
    ),
    allow(
      'FillRestoredTables',
      ['dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan', ...tableWrites],
      [restored],
    ),
    ...keyUse('Restore', resources.encryptionKey),
  ];
}

function keyUse(purpose: string, key: IKey): PolicyStatement[] {
  const use = (sid: string, actions: string[], condition: Readonly<Record<string, unknown>>) =>
    new PolicyStatement({
      sid: `${purpose}${sid}`,
      actions,
      resources: [key.keyArn],
      conditions: { StringEquals: viaServices(key, ['backup', 'dynamodb']), ...condition },
    });
  return [
    use('DataAtRest', ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'], {}),
    // DynamoDB and Backup work after the call has returned, by grants that only AWS's services can use.
    use('Grants', ['kms:CreateGrant'], { Bool: { 'kms:GrantIsForAWSResource': 'true' } }),
  ];
}
