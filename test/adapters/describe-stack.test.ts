import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeStack } from '#adapters/describe-stack.ts';
import { startCloudFormation, type TestCloudFormation } from '#test/support/cloudformation.ts';
import { checkSignature } from '#test/support/signature.ts';

const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

let folder: string;
let service: TestCloudFormation;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'describe-stack-'));
  const profile = (name: string, secret: string): string =>
    `[${name}]\naws_access_key_id = ${key.accessKeyId}\naws_secret_access_key = ${secret}\n`;
  await writeFile(join(folder, 'credentials'), profile('owner', key.secretAccessKey) + profile('typo', 'x'));
  await writeFile(join(folder, 'config'), '[profile empty]\nregion = eu-west-1\n');
  service = await startCloudFormation(key);
});
beforeEach(() => {
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  service.refuse(undefined);
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

function describeIt(name: string, profile = 'owner'): ReturnType<typeof describeStack> {
  return describeStack(name, { region: 'eu-west-1', profile, endpoint: service.endpoint });
}

describe('describing a stack', () => {
  it('gives its status and its outputs, letter by letter', async () => {
    const outputs = {
      Table: 'ai-employee-dev-tasks',
      Odd: `a & b < c > d "e" 'f' é`,
      Url: 'https://sqs.eu-west-1.amazonaws.com/1/q?a=b&c=d',
    };
    service.stacks.set('some', { status: 'UPDATE_COMPLETE', outputs });
    expect(await describeIt('some')).toEqual({ name: 'some', status: 'UPDATE_COMPLETE', outputs });
  });

  it('gives no outputs of a stack that has none', async () => {
    service.stacks.set('none', { status: 'CREATE_IN_PROGRESS', outputs: {} });
    expect(await describeIt('none')).toMatchObject({ status: 'CREATE_IN_PROGRESS', outputs: {} });
  });

  it('signs for CloudFormation in the region that it is asked of', async () => {
    service.regions.length = 0;
    await describeIt('some');
    expect(service.regions).toEqual(['eu-west-1']);
  });

  it('answers undefined where there is no such stack', async () => {
    expect(await describeIt('other')).toBeUndefined();
  });

  it.each([
    ['a wrong secret', 'typo', 'SignatureDoesNotMatch'],
    ['a profile without credentials', 'empty', 'CredentialsProviderError'],
  ])('throws the service’s or the SDK’s own error with %s', async (_, profile, name) => {
    await expect(describeIt('some', profile)).rejects.toMatchObject({ name });
  });

  it('throws what the service refuses with, by its code', async () => {
    const message = 'User: <arn> is not authorized, or does not exist';
    service.refuse({ status: 403, code: 'AccessDenied', message });
    await expect(describeIt('some')).rejects.toMatchObject({ name: 'AccessDenied', message });
  });
});

// The published example: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
it('the signature check that these tests rely on agrees with AWS’s own example', () => {
  const signed = (signature: string): ReturnType<typeof checkSignature> =>
    checkSignature(
      {
        method: 'GET',
        url: '/?Action=ListUsers&Version=2010-05-08',
        body: '',
        headers: {
          host: 'iam.amazonaws.com',
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
          'x-amz-date': '20150830T123600Z',
          authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`,
        },
      },
      key.secretAccessKey,
    );
  const right = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7';
  expect(signed(right)).toMatchObject({ accessKeyId: 'AKIDEXAMPLE', isValid: true });
  expect(signed(right.replace('5', '6'))).toMatchObject({ isValid: false });
});
