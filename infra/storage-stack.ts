import { Stack, type StackProps } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  BillingMode,
  StreamViewType,
  Table,
  TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { inboundPrefix, receiptRuleArn } from './names.ts';
import { ArchiveBucket, TrailBucket } from './proof-bucket.ts';
import { removalPolicy } from './removal.ts';
import { SecureBucket } from './secure-bucket.ts';
import { ZoneKey } from './zone-key.ts';

/**
 * Everything that keeps data: raw mail, encrypted blobs, tasks, the ledger, the archive, the record of who touched
 * vault and archive, and the cloud zone's keys.
 */
export class StorageStack extends Stack {
  readonly inboundBucket: SecureBucket;
  readonly vaultBucket: SecureBucket;
  /** What is put here stays for its retention; who writes is granted `s3:PutObject` and nothing else. */
  readonly archiveBucket: ArchiveBucket;
  readonly trailBucket: TrailBucket;
  readonly tasksTable: Table;
  readonly ledgerTable: Table;
  readonly vaultSecret: Secret;
  /** The customer key; only in the full profile, since it costs more a month than everything else at rest. */
  readonly encryptionKey: ZoneKey | undefined;
  private readonly settings: Settings;

  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    this.settings = settings;
    this.encryptionKey = settings.profile === 'full' ? new ZoneKey(this, 'Key', settings) : undefined;
    const encryptionKey = this.encryptionKey;

    const accessLogs = new SecureBucket(this, 'AccessLogs', {
      settings,
      expireAfterDays: 90,
      keepOldVersionsDays: 7,
    });
    this.inboundBucket = new SecureBucket(this, 'Inbound', {
      settings,
      // Raw mail is personal data: what was worth keeping is in the vault by then.
      expireAfterDays: 90,
      keepOldVersionsDays: 30,
      accessLogs: { bucket: accessLogs, prefix: 'inbound/' },
      encryptionKey,
    });
    this.inboundBucket.addToResourcePolicy(this.receiptRuleMayDeliver());
    this.vaultBucket = new SecureBucket(this, 'Vault', {
      settings,
      keepOldVersionsDays: 365,
      accessLogs: { bucket: accessLogs, prefix: 'vault/' },
      encryptionKey,
    });
    this.archiveBucket = new ArchiveBucket(this, 'Archive', {
      settings,
      accessLogs: { bucket: accessLogs, prefix: 'archive/' },
      encryptionKey,
    });
    // Not under the bucket's key: CloudTrail encrypts its files itself, with the key that the trail names.
    this.trailBucket = new TrailBucket(this, 'TrailLogs', {
      settings,
      expireAfterDays: 365,
      accessLogs: { bucket: accessLogs, prefix: 'trail/' },
    });

    this.tasksTable = this.table('Tasks', { name: 'taskId', type: AttributeType.STRING });
    this.ledgerTable = this.table(
      'Ledger',
      { name: 'vaultId', type: AttributeType.STRING },
      { sortKey: { name: 'n', type: AttributeType.NUMBER }, stream: StreamViewType.NEW_IMAGE },
    );

    this.vaultSecret = new Secret(this, 'VaultSecret', {
      description:
        "AI Employee: the cloud zone's signing key and shared vault keys; filled by `employee init`",
      // A changed template would make CloudFormation generate anew, over the keys that `employee init` stored.
      generateSecretString: { secretStringTemplate: '{"status":"placeholder"}', generateStringKey: 'nonce' },
      removalPolicy: removalPolicy(settings),
      ...(encryptionKey && { encryptionKey }),
    });
  }

  // https://docs.aws.amazon.com/ses/latest/dg/receiving-email-permissions.html: the account alone would let any other
  // rule of the account write here, the rule's ARN alone could be guessed by another account.
  private receiptRuleMayDeliver(): PolicyStatement {
    return new PolicyStatement({
      sid: 'ReceiptRuleMayDeliver',
      principals: [new ServicePrincipal('ses.amazonaws.com')],
      actions: ['s3:PutObject'],
      resources: [this.inboundBucket.arnForObjects(`${inboundPrefix}*`)],
      conditions: {
        StringEquals: {
          'aws:SourceAccount': this.account,
          'aws:SourceArn': receiptRuleArn(this, this.settings),
        },
      },
    });
  }

  private table(
    id: string,
    partitionKey: Attribute,
    more: Pick<TableProps, 'sortKey' | 'stream'> = {},
  ): Table {
    return new Table(this, id, {
      partitionKey,
      ...more,
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: this.settings.stage === 'prod',
      removalPolicy: removalPolicy(this.settings),
      ...(this.encryptionKey === undefined
        ? { encryption: TableEncryption.DEFAULT }
        : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: this.encryptionKey }),
    });
  }
}
