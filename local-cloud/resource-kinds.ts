import { createHash } from 'node:crypto';
import { secretArn } from './emulators/secrets-manager.ts';

/** Where the resources live: what pseudo parameters and ARNs are made of. */
export interface Place {
  region: string;
  accountId: string;
  /** Queue URLs point here, since an SDK may take its endpoint from the URL. */
  sqsEndpoint: string;
}

/** A resource that was given its physical name. */
export interface NamedResource {
  stackName: string;
  logicalId: string;
  name: string;
  place: Place;
}

/** What a kind of resource answers to `Ref` and `Fn::GetAtt`. */
export interface ResourceKind {
  /** Whether the local cloud makes something of it, or it needs nothing here. */
  made: boolean;
  /** The property that may give the physical name. */
  nameProperty?: string;
  /** The longest physical name that the service takes. */
  maxNameLength: number;
  lowerCase?: true;
  ref(resource: NamedResource): string;
  attributes: Record<string, (resource: NamedResource) => string>;
}

/**
 * Every kind of resource that a template may have. A kind that is not here is an error, so that nothing is
 * left out of a local run without a word.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html
 */
export const resourceKinds: Readonly<Record<string, ResourceKind>> = {
  'AWS::DynamoDB::Table': made('TableName', 255, name, {
    Arn: arn('dynamodb', 'table/'),
    StreamArn: (table) => `${arn('dynamodb', 'table/')(table)}/stream/local`,
  }),
  'AWS::S3::Bucket': {
    ...made('BucketName', 63, name, {
      Arn: ({ name: bucket }) => `arn:aws:s3:::${bucket}`,
      DomainName: ({ name: bucket }) => `${bucket}.s3.amazonaws.com`,
      RegionalDomainName: ({ name: bucket, place }) => `${bucket}.s3.${place.region}.amazonaws.com`,
    }),
    lowerCase: true,
  },
  'AWS::SQS::Queue': made('QueueName', 80, queueUrl, {
    Arn: arn('sqs', ''),
    QueueName: name,
    QueueUrl: queueUrl,
  }),
  'AWS::SNS::Topic': made('TopicName', 256, arn('sns', ''), { TopicArn: arn('sns', ''), TopicName: name }),
  'AWS::SNS::Subscription': made(undefined, 256, arn('sns', ''), { Arn: arn('sns', '') }),
  'AWS::SecretsManager::Secret': made('Name', 512, secret, { Id: secret }),
  'AWS::Lambda::Function': made('FunctionName', 64, name, { Arn: arn('lambda', 'function:') }),
  'AWS::Lambda::EventSourceMapping': made(undefined, 256, name, {
    Id: name,
    EventSourceMappingArn: arn('lambda', 'event-source-mapping:'),
  }),
  'AWS::Lambda::Permission': made(undefined, 256, name, {}),
  'AWS::SecretsManager::RotationSchedule': made(undefined, 512, name, { Id: name }),
  'AWS::SES::ReceiptRuleSet': made('RuleSetName', 64, name, {}),
  'AWS::SES::ReceiptRule': made(undefined, 64, name, {}),
  'AWS::SES::ConfigurationSet': made('Name', 64, name, {}),
  'AWS::SES::EmailIdentity': made('EmailIdentity', 320, name, {
    ...Object.fromEntries([1, 2, 3].map((n) => [`DkimDNSTokenName${n}`, dkim(`${n}._domainkey`)])),
    ...Object.fromEntries([1, 2, 3].map((n) => [`DkimDNSTokenValue${n}`, dkim(`${n}.dkim.amazonses`)])),
  }),

  // Nothing to make: rights, keys, backups and watching are the cloud's own.
  'AWS::Backup::BackupPlan': {
    ...unneeded('backup', 'backup-plan:'),
    attributes: { BackupPlanId: name, BackupPlanArn: arn('backup', 'backup-plan:') },
  },
  'AWS::Backup::BackupSelection': unneeded('backup', 'selection:'),
  'AWS::Backup::BackupVault': {
    ...unneeded('backup', 'backup-vault:', 'BackupVaultName'),
    attributes: { BackupVaultArn: arn('backup', 'backup-vault:'), BackupVaultName: name },
  },
  'AWS::Backup::RestoreTestingPlan': unneeded('backup', 'restore-testing-plan:', 'RestoreTestingPlanName'),
  'AWS::Backup::RestoreTestingSelection': unneeded('backup', 'restore-testing-selection:'),
  'AWS::Budgets::Budget': unneeded('budgets', 'budget/'),
  'AWS::CDK::Metadata': unneeded('cdk', ''),
  'AWS::CloudTrail::Trail': unneeded('cloudtrail', 'trail/', 'TrailName'),
  'AWS::CloudWatch::Alarm': unneeded('cloudwatch', 'alarm:', 'AlarmName'),
  'AWS::CloudWatch::CompositeAlarm': unneeded('cloudwatch', 'alarm:', 'AlarmName'),
  'AWS::CloudWatch::Dashboard': unneeded('cloudwatch', 'dashboard/', 'DashboardName'),
  'AWS::IAM::ManagedPolicy': {
    ...unneeded('iam', 'policy/', 'ManagedPolicyName'),
    ref: arn('iam', 'policy/'),
  },
  'AWS::IAM::Policy': unneeded('iam', 'policy/'),
  'AWS::IAM::Role': unneeded('iam', 'role/', 'RoleName'),
  'AWS::KMS::Alias': unneeded('kms', 'alias/'),
  'AWS::KMS::Key': unneeded('kms', 'key/'),
  'AWS::Lambda::EventInvokeConfig': unneeded('lambda', 'event-invoke-config/'),
  'AWS::Logs::LogGroup': unneeded('logs', 'log-group:', 'LogGroupName'),
  'AWS::Logs::MetricFilter': unneeded('logs', 'metric-filter:'),
  'AWS::Logs::ResourcePolicy': unneeded('logs', 'resource-policy:'),
  'AWS::RolesAnywhere::Profile': {
    ...unneeded('rolesanywhere', 'profile/'),
    attributes: { ProfileArn: arn('rolesanywhere', 'profile/') },
  },
  'AWS::RolesAnywhere::TrustAnchor': {
    ...unneeded('rolesanywhere', 'trust-anchor/'),
    attributes: { TrustAnchorArn: arn('rolesanywhere', 'trust-anchor/') },
  },
  'AWS::S3::BucketPolicy': unneeded('s3', 'policy/'),
  'AWS::SES::ConfigurationSetEventDestination': unneeded('ses', 'event-destination/'),
  'AWS::SNS::TopicPolicy': unneeded('sns', 'policy/'),
  'AWS::SQS::QueuePolicy': unneeded('sqs', 'policy/'),
  'AWS::SecretsManager::ResourcePolicy': unneeded('secretsmanager', 'policy/'),
  // Empties a bucket when its stack is torn down; `--fresh` does that here.
  'Custom::S3AutoDeleteObjects': unneeded('cloudformation', 'custom/'),
};

/**
 * A physical name that is the same at every start: `<stack>-<logical id>`, cut with a hash where the
 * service's limit demands it.
 */
export function derivedName(kind: ResourceKind, stackName: string, logicalId: string): string {
  const whole = `${stackName}-${logicalId}`;
  const cased = kind.lowerCase === true ? whole.toLowerCase() : whole;
  if (cased.length <= kind.maxNameLength) return cased;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${cased.slice(0, kind.maxNameLength - hash.length - 1)}-${hash}`;
}

function made(
  nameProperty: string | undefined,
  maxNameLength: number,
  ref: ResourceKind['ref'],
  attributes: ResourceKind['attributes'],
): ResourceKind {
  return {
    made: true,
    maxNameLength,
    ref,
    attributes,
    ...(nameProperty === undefined ? {} : { nameProperty }),
  };
}

function unneeded(service: string, prefix: string, nameProperty?: string): ResourceKind {
  return { ...made(nameProperty, 256, name, { Arn: arn(service, prefix) }), made: false };
}

function name(resource: NamedResource): string {
  return resource.name;
}

function arn(service: string, prefix: string): (resource: NamedResource) => string {
  return ({ name: physical, place }) => {
    const region = service === 'iam' || service === 'budgets' ? '' : place.region;
    return `arn:aws:${service}:${region}:${place.accountId}:${prefix}${physical}`;
  };
}

function queueUrl({ name: queue, place }: NamedResource): string {
  return `${place.sqsEndpoint}/${place.accountId}/${queue}`;
}

function secret({ name: secretName, place }: NamedResource): string {
  return secretArn(place.region, place.accountId, secretName);
}

function dkim(part: string): (resource: NamedResource) => string {
  return ({ name: identity }) => `${part}.${identity}.invalid`;
}
