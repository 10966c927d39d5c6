import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { blobsPrefix, inboundPrefix } from './names.ts';
import { deny } from './statements.ts';
import type { ZoneResources } from './zone-permissions.ts';

/**
 * What no role of the cloud zone may ever do, whatever a later policy grants. A deny wins over every allow, so each
 * line holds even against a mistaken grant on the role or on a resource.
 */
export const neverAllowed: Readonly<Record<string, readonly string[]>> = {
  // Sending, calling, posting: the promise of the cloud zone is that it drafts and does not act.
  DenySending: [
    'ses:Send*',
    'ses:PutIdentityPolicy',
    'ses:CreateReceiptRule*',
    'ses:SetActiveReceiptRuleSet',
    'ses:UpdateReceiptRule',
    'sns:Publish',
    'sns:Subscribe',
    'mobiletargeting:*',
    'sms-voice:*',
    'social-messaging:*',
    'connect:*',
    'connect-campaigns:*',
    'chime:*',
    'chatbot:*',
    'workmail:*',
    'workmailmessageflow:*',
  ],
  DenyPaying: ['payments:*', 'aws-marketplace:*', 'billing:*', 'purchase-orders:*', 'savingsplans:*'],
  // Acting through something else that may do what this role may not.
  DenyActingThroughOthers: [
    'lambda:AddPermission',
    'lambda:Create*',
    'lambda:Invoke*',
    'lambda:Publish*',
    'lambda:Put*',
    'lambda:Update*',
    'events:PutEvents',
    'events:PutRule',
    'events:PutTargets',
    'events:InvokeApiDestination',
    'events:RetrieveConnectionCredentials',
    'scheduler:*',
    'states:Start*',
    'pipes:*',
    'execute-api:*',
    'appsync:*',
    'ssm:*',
    'ecs:RunTask',
    'codebuild:StartBuild',
    'bedrock:InvokeAgent',
    'bedrock-agentcore:*',
    'cloudformation:*',
  ],
  DenyWidening: [
    'iam:*',
    'sts:*',
    'sso:*',
    'organizations:*',
    'account:*',
    'rolesanywhere:*',
    'access-analyzer:*',
  ],
  DenyKeys: [
    'kms:CreateGrant',
    'kms:DisableKey*',
    'kms:GenerateMac',
    'kms:PutKeyPolicy',
    'kms:ScheduleKeyDeletion',
    'kms:Sign',
    'kms:UpdatePrimaryRegion',
    'secretsmanager:BatchGetSecretValue',
    'secretsmanager:CreateSecret',
    'secretsmanager:Delete*',
    'secretsmanager:Put*',
    'secretsmanager:R*',
    'secretsmanager:StopReplicationToReplica',
    'secretsmanager:Update*',
  ],
  // Removing or rewriting what was recorded, and its way of being kept.
  DenyErasing: [
    's3:BypassGovernanceRetention',
    's3:Delete*',
    's3:PutBucket*',
    's3:PutEncryptionConfiguration',
    's3:PutLifecycleConfiguration',
    's3:PutObjectAcl',
    's3:PutObjectLegalHold',
    's3:PutObjectRetention',
    's3:PutReplicationConfiguration',
    's3:ReplicateDelete',
    'dynamodb:BatchWriteItem',
    'dynamodb:Delete*',
    'dynamodb:PartiQL*',
    'dynamodb:PutResourcePolicy',
    'dynamodb:UpdateContinuousBackups',
    'dynamodb:UpdateGlobalTable*',
    'dynamodb:UpdateTable*',
    'dynamodb:UpdateTimeToLive',
    'logs:Delete*',
    'logs:PutRetentionPolicy',
    'sqs:PurgeQueue',
    'sqs:DeleteQueue',
    'sqs:AddPermission',
    'sqs:SetQueueAttributes',
    'cloudtrail:*',
    'backup:*',
  ],
};

/**
 * The permissions boundary of the roles in the cloud zone that work on mail: at most the work on this deployment's own
 * data, and explicitly none of {@link neverAllowed}. A role's rights are the intersection of its policies and this.
 */
export class ZoneBoundary extends ManagedPolicy {
  constructor(scope: Construct, id: string, props: BoundaryProps) {
    const { zone } = props;
    super(scope, id, {
      description: 'AI Employee: the most that any role of the cloud zone can do',
      statements: [
        atMost(['dynamodb:GetItem', 'dynamodb:UpdateItem'], [zone.tasksTable.tableArn]),
        atMost(['dynamodb:PutItem', 'dynamodb:Query'], [zone.ledgerTable.tableArn]),
        atMost(['s3:GetObject'], [zone.inboundBucket.arnForObjects(`${inboundPrefix}*`)]),
        atMost(['s3:GetObject', 's3:PutObject'], [zone.vaultBucket.arnForObjects(`${blobsPrefix}*`)]),
        atMost(['secretsmanager:GetSecretValue'], [zone.vaultSecret.secretArn]),
        atMost(
          ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:SendMessage'],
          [zone.inboundQueue.queueArn, zone.draftingQueue.queueArn],
        ),
        ...sharedStatements(props),
        ...denials(neverAllowed),
      ],
    });
  }
}

/** What a boundary is about. */
export interface BoundaryProps {
  readonly zone: ZoneResources;
  readonly logGroupArns: readonly string[];
  readonly tracing: boolean;
}

/** What every boundary lets through and denies besides. */
export function sharedStatements({ zone, logGroupArns, tracing }: BoundaryProps): PolicyStatement[] {
  return [
    atMost(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroupArns),
    ...(zone.encryptionKey
      ? [atMost(['kms:Decrypt', 'kms:GenerateDataKey'], [zone.encryptionKey.keyArn])]
      : []),
    ...(tracing ? [atMost(['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], ['*'])] : []),
    deny('DenyChangingTheLedger', ['dynamodb:UpdateItem'], [zone.ledgerTable.tableArn]),
  ];
}

/** Denies each list on everything. */
export function denials(lists: Readonly<Record<string, readonly string[]>>): PolicyStatement[] {
  return Object.entries(lists).map(([sid, actions]) => deny(sid, actions, ['*']));
}

/** The most that is let through on some resources. */
export function atMost(actions: readonly string[], resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: [...resources] });
}
