import { describe, expect, it } from 'vitest';
import type { AttemptedCall, AwsService } from '#local-cloud/call-log.ts';
import type { AccessContext } from '#local-cloud/iam/needed-access.ts';
import { accessOf } from '#local-cloud/iam/requests.ts';

const context: AccessContext = {
  region: 'eu-west-1',
  accountId: '000000000000',
  plan: {
    tables: [
      {
        name: 'ledger',
        KeySchema: [
          { AttributeName: 'vaultId', KeyType: 'HASH' },
          { AttributeName: 'n', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [],
      },
    ],
    secrets: [{ name: 'keys', arn: 'arn:aws:secretsmanager:eu-west-1:000000000000:secret:keys-AbCdEf' }],
    identities: ['example.com', 'boss@example.com'],
    defaultConfigurationSets: { 'boss@example.com': 'boss-events' },
  },
};

function needs(service: AwsService, operation: string, input: AttemptedCall['input'] = {}): unknown[] {
  const call = { service, operation, input, accessKeyId: 'k', region: 'eu-west-1', at: '', requestId: '' };
  return accessOf(call, context).map(({ action, resource, keys }) => [
    action,
    resource.replace('eu-west-1:000000000000', ''),
    ...(Object.keys(keys).length === 0 ? [] : [keys]),
  ]);
}

const table = 'arn:aws:dynamodb::table/ledger';
const queue = 'arn:aws:sqs::work';
const queueUrl = { QueueUrl: 'http://127.0.0.1:1/000000000000/work' };
const secret = 'arn:aws:secretsmanager::secret:keys-AbCdEf';
const lead = { 'dynamodb:leadingkeys': ['v1'] };

describe('a call needs the permissions that the service asks for', () => {
  it.each([
    [
      'dynamodb',
      'GetItem',
      { TableName: 'ledger', Key: { vaultId: { S: 'v1' } } },
      [['dynamodb:GetItem', table, lead]],
    ],
    [
      'dynamodb',
      'PutItem',
      { TableName: 'ledger', Item: { vaultId: { S: 'v1' } } },
      [['dynamodb:PutItem', table, lead]],
    ],
    ['dynamodb', 'UpdateItem', { TableName: 'ledger' }, [['dynamodb:UpdateItem', table]]],
    [
      'dynamodb',
      'Query',
      {
        TableName: 'ledger',
        KeyConditionExpression: '#v = :v AND n > :n',
        ExpressionAttributeNames: { '#v': 'vaultId' },
        ExpressionAttributeValues: { ':v': { S: 'v1' }, ':n': { N: '0' } },
      },
      [['dynamodb:Query', table, lead]],
    ],
    [
      'dynamodb',
      'Query',
      { TableName: 'ledger', IndexName: 'by' },
      [['dynamodb:Query', `${table}/index/by`]],
    ],
    [
      'dynamodb',
      'BatchGetItem',
      { RequestItems: { ledger: {}, other: {} } },
      [
        ['dynamodb:BatchGetItem', table],
        ['dynamodb:BatchGetItem', 'arn:aws:dynamodb::table/other'],
      ],
    ],
    ['dynamodb', 'TransactWriteItems', {}, [['dynamodb:TransactWriteItems', '*']]],
    ['s3', 'GetObject', { Bucket: 'b', Key: 'k/1' }, [['s3:GetObject', 'arn:aws:s3:::b/k/1']]],
    [
      's3',
      'GetObject',
      { Bucket: 'b', Key: 'k', Missing: true },
      [
        ['s3:GetObject', 'arn:aws:s3:::b/k'],
        ['s3:ListBucket', 'arn:aws:s3:::b'],
      ],
    ],
    ['s3', 'HeadObject', { Bucket: 'b', Key: 'k' }, [['s3:GetObject', 'arn:aws:s3:::b/k']]],
    ['s3', 'UploadPart', { Bucket: 'b', Key: 'k' }, [['s3:PutObject', 'arn:aws:s3:::b/k']]],
    [
      's3',
      'ListObjectsV2',
      { Bucket: 'b', Prefix: 'p/' },
      [['s3:ListBucket', 'arn:aws:s3:::b', { 's3:prefix': 'p/' }]],
    ],
    ['s3', 'HeadBucket', { Bucket: 'b' }, [['s3:ListBucket', 'arn:aws:s3:::b']]],
    [
      's3',
      'DeleteObjects',
      { Bucket: 'b', Keys: ['x', 'y'] },
      [
        ['s3:DeleteObject', 'arn:aws:s3:::b/x'],
        ['s3:DeleteObject', 'arn:aws:s3:::b/y'],
      ],
    ],
    ['s3', 'Unknown', { Bucket: 'b', Key: 'k' }, [['s3:Unknown', '*']]],
    ['sqs', 'SendMessageBatch', queueUrl, [['sqs:SendMessage', queue]]],
    ['sqs', 'ReceiveMessage', queueUrl, [['sqs:ReceiveMessage', queue]]],
    ['sqs', 'DeleteMessageBatch', queueUrl, [['sqs:DeleteMessage', queue]]],
    ['sqs', 'ChangeMessageVisibilityBatch', queueUrl, [['sqs:ChangeMessageVisibility', queue]]],
    ['sqs', 'GetQueueUrl', { QueueName: 'work' }, [['sqs:GetQueueUrl', queue]]],
    [
      'secretsmanager',
      'GetSecretValue',
      { SecretId: 'keys', VersionStage: 'AWSPENDING' },
      [
        [
          'secretsmanager:GetSecretValue',
          secret,
          {
            'secretsmanager:secretid': 'arn:aws:secretsmanager:eu-west-1:000000000000:secret:keys-AbCdEf',
            'secretsmanager:versionstage': 'AWSPENDING',
          },
        ],
      ],
    ],
    ['sns', 'Publish', { TopicArn: 'arn:aws:sns:r:1:t' }, [['sns:Publish', 'arn:aws:sns:r:1:t']]],
    ['sts', 'GetCallerIdentity', {}, []],
    ['sts', 'AssumeRole', {}, [['sts:AssumeRole', '*']]],
    [
      'cloudwatch',
      'PutMetricData',
      { Namespace: 'N' },
      [['cloudwatch:PutMetricData', '*', { 'cloudwatch:namespace': 'N' }]],
    ],
  ] satisfies [AwsService, string, AttemptedCall['input'], unknown[]][])(
    '%s %s %#',
    (service, operation, input, expected) => {
      expect(needs(service, operation, input)).toEqual(expected);
    },
  );

  it.each([
    ['its domain', 'Robin <robin@example.com>', 'identity/example.com', 'robin@example.com'],
    [
      'the address where that is verified',
      'boss@example.com',
      'identity/boss@example.com',
      'boss@example.com',
    ],
    ['the domain above its own', 'a@mail.example.com', 'identity/example.com', 'a@mail.example.com'],
    ['its own domain where none is known', 'a@other.example', 'identity/other.example', 'a@other.example'],
  ])('a raw mail needs the identity of its sender: %s', (_, from, identity, address) => {
    const raw = `From: ${from}\r\nTo: x@y.example, z@y.example\r\n\r\nhello`;
    const input = { 'RawMessage.Data': Buffer.from(raw).toString('base64'), ConfigurationSetName: 'events' };
    const keys = { 'ses:fromaddress': address, 'ses:recipients': ['x@y.example', 'z@y.example'] };
    expect(needs('ses', 'SendRawEmail', input)).toEqual([
      ['ses:SendRawEmail', `arn:aws:ses::${identity}`, keys],
      ['ses:SendRawEmail', 'arn:aws:ses::configuration-set/events', keys],
    ]);
  });

  it('a mail that names no configuration set needs that of its identity', () => {
    const keys = { 'ses:fromaddress': 'boss@example.com' };
    expect(needs('ses', 'SendEmail', { Source: 'boss@example.com' })).toEqual([
      ['ses:SendEmail', 'arn:aws:ses::identity/boss@example.com', keys],
      ['ses:SendEmail', 'arn:aws:ses::configuration-set/boss-events', keys],
    ]);
  });

  it('the recipients of the envelope are those that count', () => {
    const input = {
      Source: 'robin@example.com',
      'Destinations.member.1': 'secret@y.example',
      'RawMessage.Data': Buffer.from('From: a@b.example\r\nTo: open@y.example\r\n\r\n').toString('base64'),
    };
    expect(needs('ses', 'SendRawEmail', input)).toEqual([
      [
        'ses:SendRawEmail',
        'arn:aws:ses::identity/example.com',
        { 'ses:fromaddress': 'robin@example.com', 'ses:recipients': ['secret@y.example'] },
      ],
    ]);
  });
});
