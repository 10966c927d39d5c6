/** What a role is granted: `action on resource`, with ` if condition` where it has one. */
export type Grants = readonly string[];

const consume = (queue: string): Grants =>
  ['DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage'].map((action) => `sqs:${action} on ${queue}`);
const logs = (group: string): Grants => [
  `logs:CreateLogStream on log-group:${group}:*`,
  `logs:PutLogEvents on log-group:${group}:*`,
];
const zone: Grants = [
  'dynamodb:GetItem on table/tasks',
  'dynamodb:UpdateItem on table/tasks',
  'dynamodb:PutItem on table/ledger',
  'dynamodb:Query on table/ledger',
  's3:GetObject on vault/blobs/*',
  's3:PutObject on vault/blobs/*',
  'secretsmanager:GetSecretValue on secret:vaultsecret',
];
const keyVia = (services: readonly string[]): Grants => {
  const via = services.map((service) => `${service}.eu-central-1.amazonaws.com`).join(' or ');
  return [
    `kms:Decrypt on key/key if StringEquals kms:ViaService ${via}`,
    `kms:GenerateDataKey on key/key if StringEquals kms:ViaService ${via}`,
  ];
};
const zoneInFull: Grants = [
  ...keyVia(['dynamodb', 's3', 'secretsmanager']),
  'xray:PutTelemetryRecords on *',
  'xray:PutTraceSegments on *',
];
const backupKey = (): Grants => {
  const via = ['backup', 'dynamodb'].map((service) => `${service}.eu-central-1.amazonaws.com`).join(' or ');
  return [
    ...keyVia(['backup', 'dynamodb']),
    `kms:DescribeKey on key/key if StringEquals kms:ViaService ${via}`,
    `kms:CreateGrant on key/key if StringEquals kms:ViaService ${via} and Bool kms:GrantIsForAWSResource true`,
  ];
};
const restored = 'table/awsbackup-restore-test-*';
const asTheAssistant = 'if StringEquals ses:FromAddress assistant@example.com';

/**
 * Every role of the templates with all that it is granted, and nothing else: the reviewed list. A role that is not
 * here, or one grant more or less, fails a test. `inFull` is what the full profile adds.
 */
export const goldenGrants: Readonly<Record<string, { readonly always: Grants; readonly inFull: Grants }>> = {
  'pipeline TriageRole': {
    always: [
      ...zone,
      ...logs('triagelogs'),
      ...consume('inboundmailqueue'),
      's3:GetObject on inbound/inbound/*',
      'sqs:SendMessage on draftingqueue',
    ],
    inFull: zoneInFull,
  },
  'pipeline DraftRole': {
    always: [...zone, ...logs('draftlogs'), ...consume('draftingqueue')],
    inFull: zoneInFull,
  },
  'pipeline RotateRole': {
    always: [
      'dynamodb:PutItem on table/ledger',
      'dynamodb:Query on table/ledger',
      's3:GetObject on vault/blobs/*',
      ...['DescribeSecret', 'GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
        (action) => `secretsmanager:${action} on secret:vaultsecret`,
      ),
      ...logs('rotatelogs'),
    ],
    inFull: zoneInFull,
  },
  'pipeline ArchiveRole': {
    always: [
      ...['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
        (action) => `dynamodb:${action} on table/ledger/stream/label`,
      ),
      's3:PutObject on archive/ledger/*',
      's3:PutObject on archive/rewritten/*',
      ...logs('archivelogs'),
    ],
    inFull: zoneInFull,
  },
  'access AgentRole': {
    always: [
      'dynamodb:GetItem on table/tasks',
      'dynamodb:UpdateItem on table/tasks',
      'dynamodb:PutItem on table/ledger',
      'dynamodb:Query on table/ledger',
      's3:DeleteObject on vault/blobs/*',
      's3:GetObject on vault/blobs/*',
      's3:PutObject on vault/blobs/*',
      's3:ListBucket on vault',
      's3:ListBucket on archive',
      's3:GetObject on archive/ledger/*',
      `ses:SendRawEmail on identity/example.com ${asTheAssistant}`,
      `ses:SendRawEmail on configuration-set/ai-employee-{stage} ${asTheAssistant}`,
    ],
    inFull: keyVia(['dynamodb', 's3']),
  },
  'operations BackupsBackupRole': {
    always: [],
    inFull: [
      ...['tasks', 'ledger'].flatMap((table) =>
        ['DescribeTable', 'ListTagsOfResource', 'StartAwsBackupJob'].map(
          (action) => `dynamodb:${action} on table/${table}`,
        ),
      ),
      'backup:CopyIntoBackupVault on backup-vault:backupsvault',
      'backup:DescribeBackupVault on backup-vault:backupsvault',
      ...backupKey(),
    ],
  },
  'operations BackupsRestoreTestRole': {
    always: [],
    inFull: [
      ...['table/tasks', 'table/ledger', restored].map(
        (table) => `dynamodb:RestoreTableFromAwsBackup on ${table}`,
      ),
      ...['BatchWriteItem', 'DeleteItem', 'PutItem', 'UpdateItem'].map(
        (action) => `dynamodb:${action} on ${restored}`,
      ),
      ...['DescribeTable', 'GetItem', 'Query', 'Scan'].map((action) => `dynamodb:${action} on ${restored}`),
      ...backupKey(),
    ],
  },
};
