import { describe, expect, it } from 'vitest';
import { PolicyUnsupported } from '#local-cloud/iam/policy-unsupported.ts';
import { CompiledPolicy, evaluate, type AccessRequest, type Principal } from '#local-cloud/iam/evaluate.ts';
import type { Statement } from '#local-cloud/iam/policy.ts';

const role: Principal = { kind: 'role', arn: 'arn:aws:iam::000000000000:role/work' };
const object = 'arn:aws:s3:::vault/blobs/1';
const read: AccessRequest = { action: 's3:GetObject', resource: object, keys: {} };

function allow(fields: Partial<Statement> = {}): Statement {
  return { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::vault/blobs/*'], ...fields };
}

function deny(fields: Partial<Statement> = {}): Statement {
  return { ...allow(fields), Effect: 'Deny' };
}

function verdict(
  policies: { identity?: Statement[]; boundary?: Statement[]; resource?: Statement[] },
  request = read,
  principal = role,
): string {
  const compiled = Object.fromEntries(
    Object.entries(policies).map(([name, statements]) => [name, new CompiledPolicy(statements)]),
  );
  const refusal = evaluate(compiled, request, principal);
  return refusal === undefined
    ? 'allowed'
    : `${refusal.explicit ? 'denied' : 'not allowed'} by ${refusal.by}`;
}

describe('a request is decided as IAM does', () => {
  it.each([
    ['nothing is allowed by itself', {}, 'not allowed by identity'],
    ['its own policy allows', { identity: [allow()] }, 'allowed'],
    ['a deny of its own wins', { identity: [allow(), deny()] }, 'denied by identity'],
    ['a boundary alone grants nothing', { boundary: [allow()] }, 'not allowed by identity'],
    ['policy and boundary allow', { identity: [allow()], boundary: [allow()] }, 'allowed'],
    ['the boundary says nothing', { identity: [allow()], boundary: [] }, 'not allowed by boundary'],
    ['the boundary denies', { identity: [allow()], boundary: [allow(), deny()] }, 'denied by boundary'],
    [
      'the resource denies',
      { identity: [allow()], resource: [deny({ Principal: '*' })] },
      'denied by resource',
    ],
    ['the resource allows the role', { resource: [allow({ Principal: { AWS: [role.arn] } })] }, 'allowed'],
    [
      'the resource allows the role, but not its boundary',
      { resource: [allow({ Principal: { AWS: [role.arn] } })], boundary: [] },
      'not allowed by boundary',
    ],
    [
      'the resource allows the account, which is not enough',
      { resource: [allow({ Principal: { AWS: ['arn:aws:iam::000000000000:root'] } })] },
      'not allowed by identity',
    ],
    [
      'the resource allows another',
      { resource: [allow({ Principal: { Service: ['ses.amazonaws.com'] } })] },
      'not allowed by identity',
    ],
  ] satisfies [string, Parameters<typeof verdict>[0], string][])('%s', (_, policies, expected) => {
    expect(verdict(policies)).toBe(expected);
  });

  it('a service is allowed by the resource that names it', () => {
    const resource = [allow({ Principal: { Service: ['ses.amazonaws.com'] } })];
    expect(verdict({ resource }, read, { kind: 'service', name: 'ses.amazonaws.com' })).toBe('allowed');
    expect(verdict({ resource }, read, { kind: 'service', name: 'sns.amazonaws.com' })).toBe(
      'not allowed by resource',
    );
  });
});

describe('a statement speaks of a request', () => {
  it.each([
    ['the action in other letter case', { Action: ['S3:getobject'] }, true],
    ['a part of the action', { Action: ['s3:Get*'] }, true],
    ['a single character', { Action: ['s3:GetObjec?'] }, true],
    ['everything', { Action: ['*'], Resource: ['*'] }, true],
    ['all but another action', { Action: undefined, NotAction: ['s3:PutObject'] }, true],
    ['all but this action', { Action: undefined, NotAction: ['s3:*'] }, false],
    ['another action', { Action: ['s3:PutObject'] }, false],
    ['a longer action', { Action: ['s3:GetObjectVersion'] }, false],
    ['the object by name', { Resource: [object] }, true],
    ['the object in other letter case', { Resource: ['arn:aws:s3:::vault/Blobs/*'] }, false],
    ['the bucket alone', { Resource: ['arn:aws:s3:::vault'] }, false],
    ['another bucket that begins alike', { Resource: ['arn:aws:s3:::vault2/*'] }, false],
    ['all but other objects', { Resource: undefined, NotResource: ['arn:aws:s3:::vault/inbound/*'] }, true],
    ['all but this object', { Resource: undefined, NotResource: ['arn:aws:s3:::vault/*'] }, false],
    ['a dot that stands for itself', { Resource: ['arn:aws:s3:::vault/blobs/.'] }, false],
  ] satisfies [string, { [K in keyof Statement]?: Statement[K] | undefined }, boolean][])(
    'by %s: %#',
    (_, fields, speaks) => {
      const statement = Object.fromEntries(
        Object.entries({ ...allow(), ...fields }).filter(([, value]) => value !== undefined),
      );
      expect(verdict({ identity: [statement as Statement] }) === 'allowed').toBe(speaks);
    },
  );

  it('an asterisk in one part of an ARN does not reach into the next', () => {
    const queue: AccessRequest = { action: 'sqs:SendMessage', resource: 'arn:aws:sqs:r:1:a:b', keys: {} };
    const on = (Resource: string): string =>
      verdict({ identity: [allow({ Action: ['sqs:*'], Resource: [Resource] })] }, queue);
    expect(on('arn:aws:sqs:*:b:b')).not.toBe('allowed');
    expect(on('arn:aws:sqs:*:1:b')).not.toBe('allowed');
    expect(on('arn:aws:sqs:*:*:a:b')).toBe('allowed');
    expect(on('arn:aws:sqs:*:*:a*')).toBe('allowed');
  });
});

describe('a condition holds', () => {
  const keys = {
    'aws:sourcearn': 'arn:aws:sns:eu-west-1:1:topic',
    'aws:securetransport': 'true',
    's3:tlsversion': '1.2',
    'ses:recipients': ['a@x.example', 'b@y.example'],
    word: 'Value',
  };
  it.each([
    [{ StringEquals: { WORD: 'Value' } }, true],
    [{ StringEquals: { word: ['other', 'Value'] } }, true],
    [{ StringEquals: { word: 'value' } }, false],
    [{ StringEquals: { word: 'Val*' } }, false],
    [{ StringEquals: { missing: 'Value' } }, false],
    [{ StringEqualsIfExists: { missing: 'Value' } }, true],
    [{ StringEqualsIfExists: { word: 'other' } }, false],
    [{ StringEqualsIgnoreCase: { word: 'vALUE' } }, true],
    [{ StringNotEquals: { word: ['other', 'Value'] } }, false],
    [{ StringNotEquals: { missing: 'Value' } }, true],
    [{ StringLike: { word: 'V?l*' } }, true],
    [{ StringLike: { word: 'v*' } }, false],
    [{ StringNotLike: { word: 'V*' } }, false],
    [{ ArnEquals: { 'aws:SourceArn': 'arn:aws:sns:eu-west-1:1:topic' } }, true],
    [{ ArnLike: { 'aws:SourceArn': 'arn:aws:sns:*:1:top*' } }, true],
    [{ ArnLike: { 'aws:SourceArn': 'arn:aws:sns:*:2:topic' } }, false],
    [{ ArnNotLike: { 'aws:SourceArn': 'arn:aws:sqs:*:*:*' } }, true],
    [{ Bool: { 'aws:SecureTransport': 'true' } }, true],
    [{ Bool: { 'aws:SecureTransport': true } }, true],
    [{ Bool: { 'aws:SecureTransport': 'false' } }, false],
    [{ Bool: { 'aws:MultiFactorAuthPresent': 'true' } }, false],
    [{ BoolIfExists: { 'aws:MultiFactorAuthPresent': 'true' } }, true],
    [{ NumericLessThan: { 's3:TlsVersion': '1.2' } }, false],
    [{ NumericGreaterThanEquals: { 's3:TlsVersion': 1.2 } }, true],
    [{ Null: { missing: 'true' } }, true],
    [{ Null: { word: 'true' } }, false],
    [{ 'ForAllValues:StringLike': { 'ses:Recipients': '*@x.example' } }, false],
    [{ 'ForAllValues:StringLike': { 'ses:Recipients': ['*@x.example', '*@y.example'] } }, true],
    [{ 'ForAllValues:StringLike': { missing: 'a' } }, true],
    [{ 'ForAnyValue:StringLike': { 'ses:Recipients': '*@y.example' } }, true],
    [{ 'ForAnyValue:StringLike': { missing: '*' } }, false],
    [{ StringEquals: { word: 'Value' }, Bool: { 'aws:SecureTransport': 'false' } }, false],
    [{ StringEquals: { word: 'Value', missing: 'x' } }, false],
  ] satisfies [NonNullable<Statement['Condition']>, boolean][])('%j: %s', (Condition, holds) => {
    const request = { ...read, keys };
    expect(verdict({ identity: [allow({ Condition })] }, request) === 'allowed').toBe(holds);
  });

  it.each([
    ['an operator that is not known', { DateLessThan: { 'aws:CurrentTime': '2030-01-01' } }],
    ['an ARN with too few parts', { ArnLike: { 'aws:SourceArn': 'arn:aws:sns:*:topic' } }],
    ['a policy variable', { StringEquals: { 'aws:username': '${aws:username}' } }],
  ])('%s is an error, not a guess', (_, Condition) => {
    expect(() => new CompiledPolicy([allow({ Condition })])).toThrow(PolicyUnsupported);
  });
});
