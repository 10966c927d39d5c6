import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { archivePrefixes, blobsPrefix, inboundPrefix } from './names.ts';
import { allow, useKey } from './statements.ts';

/** What the functions read from and write to with the customer key. */
const keyServices = ['dynamodb', 's3', 'secretsmanager'];

/** What the functions of the cloud zone work on. */
export interface ZoneResources {
  readonly tasksTable: ITable;
  readonly ledgerTable: ITable;
  readonly inboundBucket: IBucket;
  readonly vaultBucket: IBucket;
  readonly vaultSecret: ISecret;
  readonly inboundQueue: IQueue;
  readonly draftingQueue: IQueue;
  readonly encryptionKey?: IKey | undefined;
}

/** All that triage may do: read the raw mail, record task and note, hand the task to drafting. */
export function triagePermissions(zone: ZoneResources): PolicyStatement[] {
  return [
    ...sharedPermissions(zone),
    consume('ConsumeInbound', zone.inboundQueue),
    allow('HandToDrafting', ['sqs:SendMessage'], [zone.draftingQueue.queueArn]),
    allow('ReadRawMail', ['s3:GetObject'], [zone.inboundBucket.arnForObjects(`${inboundPrefix}*`)]),
  ];
}

/** All that drafting may do: take a task and write its draft into the vault. */
export function draftPermissions(zone: ZoneResources): PolicyStatement[] {
  return [...sharedPermissions(zone), consume('ConsumeDrafting', zone.draftingQueue)];
}

/** What the rotation function may do with its secret: of all functions, it alone may write one. */
export const rotationActions: readonly string[] = [
  'secretsmanager:DescribeSecret',
  'secretsmanager:GetSecretValue',
  'secretsmanager:PutSecretValue',
  'secretsmanager:UpdateSecretVersionStage',
];

/** All that rotation may do: renew the zone's key, in the secret and in the ledger. */
export function rotatePermissions(zone: ZoneResources): PolicyStatement[] {
  return [
    allow('Ledger', ['dynamodb:PutItem', 'dynamodb:Query'], [zone.ledgerTable.tableArn]),
    // The newest checkpoint, to begin reading the ledger at.
    allow('Checkpoint', ['s3:GetObject'], [zone.vaultBucket.arnForObjects(`${blobsPrefix}*`)]),
    allow('RotateOwnSecret', rotationActions, [zone.vaultSecret.secretArn]),
    ...useKey(zone.encryptionKey, keyServices),
  ];
}

/** What Lambda does with the stream of a table in the name of the function. */
export const streamActions: readonly string[] = [
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
];

/** All that archiving may do: hear of new entries of the ledger, and put copies where nobody can take them back. */
export function archivePermissions(
  streamArn: string,
  archive: IBucket,
  encryptionKey: IKey | undefined,
): PolicyStatement[] {
  return [
    allow('ReadChanges', streamActions, [streamArn]),
    allow(
      'Archive',
      ['s3:PutObject'],
      archivePrefixes.map((prefix) => archive.arnForObjects(`${prefix}*`)),
    ),
    ...useKey(encryptionKey, keyServices),
  ];
}

// Written out instead of `grantReadWriteData` and its like: those include deletes, scans and retention.
function sharedPermissions(zone: ZoneResources): PolicyStatement[] {
  return [
    allow('Tasks', ['dynamodb:GetItem', 'dynamodb:UpdateItem'], [zone.tasksTable.tableArn]),
    // No UpdateItem: an entry of the ledger is put once and never changed.
    allow('Ledger', ['dynamodb:PutItem', 'dynamodb:Query'], [zone.ledgerTable.tableArn]),
    allow('Blobs', ['s3:GetObject', 's3:PutObject'], [zone.vaultBucket.arnForObjects(`${blobsPrefix}*`)]),
    allow('ZoneKeys', ['secretsmanager:GetSecretValue'], [zone.vaultSecret.secretArn]),
    ...useKey(zone.encryptionKey, keyServices),
  ];
}

function consume(sid: string, queue: IQueue): PolicyStatement {
  return allow(sid, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [queue.queueArn]);
}
