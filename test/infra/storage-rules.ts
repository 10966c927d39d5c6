import { statementsOf } from './policy.ts';
import type { Deployment, Resource } from './deployments.ts';
import { trailArn } from './proof-rules.ts';
import { account } from './resolve.ts';
import {
  nameOf,
  named,
  ofType,
  policiesOn,
  put,
  refusesPlainHttp,
  sameJson,
  text,
  unlike,
  type Rule,
} from './rule.ts';

/** Rules about buckets, tables, keys and secrets. */
export const storageRules: readonly Rule[] = [
  {
    name: 'each bucket is private, owned by the account, encrypted, versioned and tidied',
    problems: (d) =>
      unlike(ofType(d, 'AWS::S3::Bucket'), {
        'PublicAccessBlockConfiguration.BlockPublicAcls': true,
        'PublicAccessBlockConfiguration.BlockPublicPolicy': true,
        'PublicAccessBlockConfiguration.IgnorePublicAcls': true,
        'PublicAccessBlockConfiguration.RestrictPublicBuckets': true,
        'OwnershipControls.Rules': [{ ObjectOwnership: 'BucketOwnerEnforced' }],
        'BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.SSEAlgorithm': (
          value,
        ) => value === 'AES256' || value === 'aws:kms',
        'VersioningConfiguration.Status': 'Enabled',
        'LifecycleConfiguration.Rules.0.Status': 'Enabled',
        'LifecycleConfiguration.Rules.0.AbortIncompleteMultipartUpload.DaysAfterInitiation': 7,
        'LifecycleConfiguration.Rules.0.NoncurrentVersionExpiration.NoncurrentDays': (days) =>
          Number(days) > 0,
      }),
    plant: (d) => put(named(d, 'AWS::S3::Bucket', 'Vault'), 'VersioningConfiguration.Status', 'Suspended'),
  },
  {
    name: 'each bucket refuses plain HTTP and TLS older than 1.2',
    problems: (d) =>
      ofType(d, 'AWS::S3::Bucket')
        .filter((bucket) => {
          const on = policiesOn(d, 'AWS::S3::BucketPolicy', 'Bucket', nameOf(bucket));
          const old = on.some(
            (s) => s.Effect === 'Deny' && s.Condition?.['NumericLessThan']?.['s3:TlsVersion'] === 1.2,
          );
          return !(refusesPlainHttp(on) && old);
        })
        .map(({ id }) => `${id} does not`),
    plant: (d) =>
      put(named(d, 'AWS::S3::BucketPolicy', 'VaultPolicy'), 'PolicyDocument.Statement.0.Effect', 'Allow'),
  },
  {
    name: 'requests to the buckets with data are logged',
    problems: (d) =>
      unlike(
        ofType(d, 'AWS::S3::Bucket').filter(({ id }) => !id.startsWith('AccessLogs')),
        { 'LoggingConfiguration.DestinationBucketName': (name) => text(name).includes('accesslogs') },
      ),
    plant: (d) => put(named(d, 'AWS::S3::Bucket', 'Inbound'), 'LoggingConfiguration', undefined),
  },
  {
    name: 'raw mail expires, and its bucket has no retention that would keep SES from delivering',
    problems: (d) =>
      unlike(
        [named(d, 'AWS::S3::Bucket', 'Inbound')].filter((bucket) => bucket !== undefined),
        {
          'LifecycleConfiguration.Rules.0.ExpirationInDays': 90,
          ObjectLockEnabled: (value) => value === undefined,
          ObjectLockConfiguration: (value) => value === undefined,
        },
      ),
    plant: (d) => put(named(d, 'AWS::S3::Bucket', 'Inbound'), 'ObjectLockEnabled', true),
  },
  {
    name: 'each table is on demand, recoverable to any second, and protected in prod',
    problems: (d) =>
      unlike(ofType(d, 'AWS::DynamoDB::Table'), {
        BillingMode: 'PAY_PER_REQUEST',
        'PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled': true,
        DeletionProtectionEnabled: d.stage === 'prod',
        'SSESpecification.SSEEnabled': d.profile === 'full',
      }),
    plant: (d) =>
      put(named(d, 'AWS::DynamoDB::Table', 'Ledger'), 'PointInTimeRecoverySpecification', undefined),
  },
  {
    name: 'the keys of tasks and ledger are what the stores write',
    problems: (d) =>
      unlike([named(d, 'AWS::DynamoDB::Table', 'Tasks') as Resource], {
        KeySchema: [{ AttributeName: 'taskId', KeyType: 'HASH' }],
      }).concat(
        unlike([named(d, 'AWS::DynamoDB::Table', 'Ledger') as Resource], {
          KeySchema: [
            { AttributeName: 'vaultId', KeyType: 'HASH' },
            { AttributeName: 'n', KeyType: 'RANGE' },
          ],
          AttributeDefinitions: [
            { AttributeName: 'vaultId', AttributeType: 'S' },
            { AttributeName: 'n', AttributeType: 'N' },
          ],
        }),
      ),
    plant: (d) =>
      put(named(d, 'AWS::DynamoDB::Table', 'Ledger'), 'AttributeDefinitions.1.AttributeType', 'S'),
  },
  {
    name: 'prod keeps its data when a stack goes, dev removes it',
    problems: (d: Deployment): string[] => {
      const policy = d.stage === 'prod' ? 'Retain' : 'Delete';
      return d.resources
        .filter(({ type }) =>
          /S3::Bucket$|Table$|Manager::Secret$|Queue$|KMS::Key$|LogGroup$|BackupVault$/.test(type),
        )
        .filter((r) => r.deletionPolicy !== policy || r.updateReplacePolicy !== policy)
        .map(({ id, deletionPolicy }) => `${id} has ${deletionPolicy}`);
    },
    plant: (d) =>
      Object.assign(named(d, 'AWS::DynamoDB::Table', 'Ledger') ?? {}, { deletionPolicy: 'Snapshot' }),
  },
  {
    name: 'the customer key rotates and is for this account alone',
    problems: (d) =>
      unlike(ofType(d, 'AWS::KMS::Key'), { EnableKeyRotation: true })
        .concat(
          ofType(d, 'AWS::KMS::Key').length === (d.profile === 'full' ? 1 : 0)
            ? []
            : ['wrong number of keys'],
        )
        .concat(
          ofType(d, 'AWS::KMS::Key')
            .flatMap((key) => statementsOf(key, 'KeyPolicy'))
            .filter(
              ({ Principal, Condition }) =>
                !sameJson(Principal, { AWS: [`arn:aws:iam::${account}:root`] }) &&
                Condition?.['StringEquals']?.['aws:SourceAccount'] !== account &&
                Condition?.['StringEquals']?.['aws:SourceArn'] !== trailArn(d),
            )
            .map((statement) => JSON.stringify(statement)),
        ),
    plant: (d) => put(named(d, 'AWS::KMS::Key', 'Key'), 'KeyPolicy.Statement.0.Principal', '*'),
    plantIn: 'dev full',
  },
  {
    name: 'no secret stands in a template',
    problems: (d) =>
      unlike(ofType(d, 'AWS::SecretsManager::Secret'), {
        SecretString: (value) => value === undefined,
        'GenerateSecretString.SecretStringTemplate': '{"status":"placeholder"}',
      }),
    plant: (d) => put(named(d, 'AWS::SecretsManager::Secret', 'VaultSecret'), 'SecretString', 'hunter2'),
  },
  {
    name: 'everything that can carry tags says what it belongs to',
    problems: (d) =>
      unlike(
        d.resources.filter(({ type }) =>
          /Bucket$|Table$|Queue$|Topic$|Function$|Role$|Secret$|Alarm$|Key$|LogGroup$|Trail$|EmailIdentity$|ConfigurationSet$/.test(
            type,
          ),
        ),
        {
          Tags: [
            { Key: 'project', Value: 'ai-employee' },
            { Key: 'stage', Value: d.stage },
            { Key: 'zone', Value: 'cloud' },
          ],
        },
      ),
    plant: (d) => put(named(d, 'AWS::SQS::Queue', 'DraftingQueue'), 'Tags', []),
  },
];
