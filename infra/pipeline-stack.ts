import { join } from 'node:path';
import { ArnFormat, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { z } from 'zod';
import type { ArchiveEnv } from '#lambdas/archive/env.ts';
import type { DraftEnv } from '#lambdas/draft/env.ts';
import type { RotateEnv } from '#lambdas/rotate/env.ts';
import type { TriageEnv } from '#lambdas/triage/env.ts';
import type { Settings } from './config.ts';
import { functionSizes, sizeOf } from './function-sizes.ts';
import type { MailStack } from './mail-stack.ts';
import { LedgerArchive } from './ledger-archive.ts';
import type { FunctionName } from './paths.ts';
import { QueueAlarms } from './queue-alarms.ts';
import { QueueWithDlq } from './queue-with-dlq.ts';
import { removalPolicy } from './removal.ts';
import { SecretRotation } from './secret-rotation.ts';
import type { StorageStack } from './storage-stack.ts';
import { ZoneBoundary } from './zone-boundary.ts';
import { ZoneFunction } from './zone-function.ts';
import { draftPermissions, triagePermissions, type ZoneResources } from './zone-permissions.ts';

/** The stacks whose resources the pipeline works on, and where its code lies. */
export interface PipelineStackProps extends StackProps {
  readonly storage: StorageStack;
  readonly mail: MailStack;
  /** Folder with one bundle folder a function. */
  readonly bundlesDir: string;
}

/** The functions, the queue between them, their alarms, and the outputs that `employee init --from-stack` reads. */
export class PipelineStack extends Stack {
  /** Where alarms of every stack go. */
  readonly alarmTopic: Topic;
  private readonly settings: Settings;

  constructor(scope: Construct, id: string, settings: Settings, props: PipelineStackProps) {
    const { storage, mail, bundlesDir, ...stackProps } = props;
    super(scope, id, stackProps);
    this.settings = settings;

    const drafting = new QueueWithDlq(this, 'Drafting', {
      settings,
      consumerTimeout: functionSizes.draft.timeout,
    });
    const zone: ZoneResources = {
      tasksTable: storage.tasksTable,
      ledgerTable: storage.ledgerTable,
      inboundBucket: storage.inboundBucket,
      vaultBucket: storage.vaultBucket,
      vaultSecret: storage.vaultSecret,
      inboundQueue: mail.inbound.queue,
      draftingQueue: drafting.queue,
      encryptionKey: storage.encryptionKey,
    };
    const logs = {
      triage: this.logGroup('TriageLogs'),
      draft: this.logGroup('DraftLogs'),
      rotate: this.logGroup('RotateLogs'),
      archive: this.logGroup('ArchiveLogs'),
    };
    const boundary = new ZoneBoundary(this, 'Boundary', {
      zone,
      logGroupArns: [logs.triage.logGroupArn, logs.draft.logGroupArn],
      tracing: settings.profile === 'full',
    });
    const shared = (name: FunctionName) => ({
      settings,
      bundleDir: join(bundlesDir, name),
      size: sizeOf(name, settings),
      logGroup: logs[name],
    });

    new ZoneFunction(this, 'Triage', {
      ...shared('triage'),
      boundary,
      description: 'Reads each mail once, decides what it is, and records task and note',
      environment: this.triageEnvironment(zone),
      source: zone.inboundQueue,
      permissions: triagePermissions(zone),
    });
    new ZoneFunction(this, 'Draft', {
      ...shared('draft'),
      boundary,
      description: 'Takes a task and writes its draft for a person to approve; cannot send',
      environment: this.draftEnvironment(zone),
      source: zone.draftingQueue,
      permissions: draftPermissions(zone),
    });

    this.alarmTopic = this.topicOfAlarms(storage);
    const topic = this.alarmTopic;
    new QueueAlarms(this, 'InboundAlarms', { queues: mail.inbound, work: 'Incoming mail', topic });
    new QueueAlarms(this, 'DraftingAlarms', { queues: drafting, work: 'Drafts', topic });
    new SecretRotation(this, 'Rotate', {
      ...shared('rotate'),
      environment: this.rotateEnvironment(zone),
      zone,
      alarmTopic: topic,
    });
    const { tableStreamArn: streamArn } = storage.ledgerTable;
    if (streamArn === undefined) throw new Error('the table of the ledger has no stream');
    new LedgerArchive(this, 'Archive', {
      ...shared('archive'),
      environment: this.archiveEnvironment(storage),
      zone,
      streamArn,
      archive: storage.archiveBucket,
      alarmTopic: topic,
    });
    this.outputs(zone, storage);
  }

  private triageEnvironment(zone: ZoneResources) {
    return {
      ...this.powertools('triage'),
      TASKS_TABLE: zone.tasksTable.tableName,
      LEDGER_TABLE: zone.ledgerTable.tableName,
      VAULT_BUCKET: zone.vaultBucket.bucketName,
      INBOUND_BUCKET: zone.inboundBucket.bucketName,
      DRAFTING_QUEUE_URL: zone.draftingQueue.queueUrl,
      VAULT_SECRET_ARN: zone.vaultSecret.secretArn,
      OWN_ADDRESSES: this.settings.ownAddresses.join(','),
    } satisfies z.input<typeof TriageEnv>;
  }

  private draftEnvironment(zone: ZoneResources) {
    return {
      ...this.powertools('draft'),
      TASKS_TABLE: zone.tasksTable.tableName,
      LEDGER_TABLE: zone.ledgerTable.tableName,
      VAULT_BUCKET: zone.vaultBucket.bucketName,
      VAULT_SECRET_ARN: zone.vaultSecret.secretArn,
      OWN_ADDRESSES: this.settings.ownAddresses.join(','),
      FROM_ADDRESS: this.settings.fromAddress,
    } satisfies z.input<typeof DraftEnv>;
  }

  private rotateEnvironment(zone: ZoneResources) {
    return {
      LEDGER_TABLE: zone.ledgerTable.tableName,
      VAULT_BUCKET: zone.vaultBucket.bucketName,
      VAULT_SECRET_ARN: zone.vaultSecret.secretArn,
      POWERTOOLS_SERVICE_NAME: 'rotate',
      POWERTOOLS_LOG_LEVEL: 'INFO',
    } satisfies z.input<typeof RotateEnv>;
  }

  private archiveEnvironment({ archiveBucket }: StorageStack) {
    return {
      ARCHIVE_BUCKET: archiveBucket.bucketName,
      POWERTOOLS_SERVICE_NAME: 'archive',
      POWERTOOLS_LOG_LEVEL: 'INFO',
    } satisfies z.input<typeof ArchiveEnv>;
  }

  private powertools(service: FunctionName) {
    return {
      POWERTOOLS_SERVICE_NAME: service,
      POWERTOOLS_METRICS_NAMESPACE: 'AiEmployee',
      POWERTOOLS_METRICS_DISABLED: this.settings.profile === 'full' ? 'false' : 'true',
      POWERTOOLS_LOG_LEVEL: 'INFO',
    } as const;
  }

  private logGroup(id: string): LogGroup {
    return new LogGroup(this, id, {
      retention: this.settings.stage === 'prod' ? RetentionDays.ONE_YEAR : RetentionDays.ONE_MONTH,
      removalPolicy: removalPolicy(this.settings),
    });
  }

  private topicOfAlarms(storage: StorageStack): Topic {
    const topic = new Topic(this, 'Alarms', {
      enforceSSL: true,
      // CloudWatch cannot publish under SNS's AWS-managed key, so without a customer key there is none.
      ...(storage.encryptionKey && { masterKey: storage.encryptionKey }),
    });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsMayNotify',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': this.account },
          ArnLike: {
            'aws:SourceArn': this.formatArn({
              service: 'cloudwatch',
              resource: 'alarm',
              resourceName: '*',
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    if (this.settings.alarmEmail !== undefined) {
      new Subscription(this, 'AlarmMail', {
        topic,
        protocol: SubscriptionProtocol.EMAIL,
        endpoint: this.settings.alarmEmail,
      });
    }
    return topic;
  }

  private outputs(zone: ZoneResources, { archiveBucket }: StorageStack): void {
    const values: Readonly<Record<string, string>> = {
      TasksTable: zone.tasksTable.tableName,
      LedgerTable: zone.ledgerTable.tableName,
      InboundBucket: zone.inboundBucket.bucketName,
      VaultBucket: zone.vaultBucket.bucketName,
      ArchiveBucket: archiveBucket.bucketName,
      VaultSecretArn: zone.vaultSecret.secretArn,
      InboundQueueUrl: zone.inboundQueue.queueUrl,
      DraftingQueueUrl: zone.draftingQueue.queueUrl,
      Region: this.region,
      AssistantAddress: this.settings.recipients[0],
      FromAddress: this.settings.fromAddress,
      OwnAddresses: this.settings.ownAddresses.join(','),
    };
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value });
  }
}
