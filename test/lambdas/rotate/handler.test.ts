import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRotateHandler } from '#lambdas/rotate/handler.ts';
import type { RotationPorts } from '#lambdas/rotate/rotate.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { createMemorySecretVersions } from '#test/support/memory/memory-secret-versions.ts';

const ARN = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:zone-AbCdEf';
const env = {
  LEDGER_TABLE: 'ledger',
  VAULT_BUCKET: 'vault',
  VAULT_SECRET_ARN: ARN,
  POWERTOOLS_SERVICE_NAME: 'rotate',
  POWERTOOLS_LOG_LEVEL: 'INFO',
} as const;
const event = { SecretId: ARN, ClientRequestToken: 'next', Step: 'createSecret' };

const CONTEXT = {
  functionName: 'f',
  functionVersion: '1',
  invokedFunctionArn: 'arn',
  memoryLimitInMB: '128',
  awsRequestId: 'request-1',
};

let lines: string[];
beforeEach(() => {
  lines = [];
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  for (const level of ['info', 'error', 'warn', 'debug'] as const)
    vi.spyOn(console, level).mockImplementation((line) => void lines.push(String(line)));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function run(secret: string, given: unknown = event): Promise<void> {
  const versions = createMemorySecretVersions(secret);
  versions.prepare('next');
  const ports: RotationPorts = {
    versions,
    withLedger: () => Promise.reject(new Error('no ledger here')),
    newKey: newSigningKey,
  };
  return createRotateHandler(env, ports)(given, CONTEXT);
}

describe('the rotation function', () => {
  it('logs one line a step: which, for which version, and how it ended', async () => {
    await run('{"status":"placeholder"}');
    expect(lines).toHaveLength(1);
    const line = { message: 'outcome', step: 'createSecret', versionId: 'next', status: 'not-set-up' };
    expect(JSON.parse(lines[0] ?? '')).toMatchObject(line);
  });

  it('ends in an error when a step fails, and neither that nor the log has a word of the secret', async () => {
    const failed = await run('{"signing":{"privateKey":"hush-hush"}}').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Error);
    const { message, stack, cause } = failed as Error;
    expect(message).toMatch(/^createSecret: the secret is damaged/);
    expect(cause).toBeUndefined();
    expect([...lines, message, stack].join()).not.toContain('hush-hush');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'ERROR',
      status: 'failed',
      errorCode: 'ROTATION_REFUSED',
    });
  });

  it.each([
    ['that is none of a rotation', {}, /no event of a rotation/],
    ['of a step that there is not', { ...event, Step: 'deleteSecret' }, /no event of a rotation/],
    ['for another secret', { ...event, SecretId: `${ARN}x` }, /rotates another secret/],
  ])('takes no event %s', async (_name, given, message) => {
    await expect(run('{"status":"placeholder"}', given)).rejects.toThrow(message);
  });
});
