import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { ARCHIVE_PREFIX } from '#protocol/archive.ts';
import { blobsPrefix } from './names.ts';
import { allow, useKey } from './statements.ts';

/** What the local agent works on in the cloud. */
export interface AgentResources {
  readonly tasksTable: ITable;
  readonly ledgerTable: ITable;
  readonly vaultBucket: IBucket;
  /** Its names are compared with the ledger; what the ledger lacks is read before anything is carried out. */
  readonly archiveBucket: IBucket;
  readonly encryptionKey?: IKey | undefined;
  /** What SES asks the sender's rights on: the identity, and the configuration set that each mail goes through. */
  readonly sendingArns: readonly string[];
  readonly fromAddress: string;
}

/**
 * All that the agent calls, and nothing else. The cloud zone's secret is not among it: only `employee init` writes
 * it, with the owner's own credentials.
 */
export function agentPermissions(agent: AgentResources): PolicyStatement[] {
  return [
    allow('Tasks', ['dynamodb:GetItem', 'dynamodb:UpdateItem'], [agent.tasksTable.tableArn]),
    // No UpdateItem: an entry of the ledger is put once and never changed.
    allow('Ledger', ['dynamodb:PutItem', 'dynamodb:Query'], [agent.ledgerTable.tableArn]),
    // The bucket keeps versions: what `employee gc` deletes can be brought back until they expire.
    allow(
      'Blobs',
      ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
      [agent.vaultBucket.arnForObjects(`${blobsPrefix}*`)],
    ),
    // On no prefix: a condition on it would also make S3 answer "denied" where an object is missing, and a lost
    // blob could not be told from a lost right. The bucket holds nothing but blobs.
    allow('ListBlobs', ['s3:ListBucket'], [agent.vaultBucket.bucketArn]),
    allow('ListArchive', ['s3:ListBucket'], [agent.archiveBucket.bucketArn]),
    allow('ReadArchive', ['s3:GetObject'], [agent.archiveBucket.arnForObjects(`${ARCHIVE_PREFIX}*`)]),
    new PolicyStatement({
      sid: 'SendWhatWasApproved',
      actions: ['ses:SendRawEmail'],
      resources: [...agent.sendingArns],
      conditions: { StringEquals: { 'ses:FromAddress': agent.fromAddress } },
    }),
    ...useKey(agent.encryptionKey, ['dynamodb', 's3']),
  ];
}
