import { describe, expect, it } from 'vitest';
import { credentialFacts } from '#adapters/session-credentials.ts';
import { createStsClient } from '#adapters/sts-client.ts';
import { roleCheck, rotationCheck, sessionCheck } from '#local-agent/credential-checks.ts';
import type { SecretDescription } from '#protocol/ports.ts';

const NOW = '2026-11-21T12:00:00.000Z';
const nowMs = Date.parse(NOW);
const later = (hours: number): string => new Date(nowMs + hours * 3_600_000).toISOString();
const daysAgo = (days: number): string => later(-24 * days);

describe('credentials', () => {
  it.each([
    ['a session of an hour', { longLived: false, endsAt: later(1) }, { ok: true }],
    ['a session whose end is not known', { longLived: false, endsAt: undefined }, { ok: true }],
    ['a session of eight hours', { longLived: false, endsAt: later(8) }, { ok: true, warning: true }],
    ['a long-lived key', { longLived: true, endsAt: undefined }, { ok: true, warning: true }],
  ])('%s', (_name, facts, expected) => {
    const { ok, warning, fix } = sessionCheck(facts, nowMs);
    expect({ ok, ...(warning && { warning }) }).toEqual(expected);
    expect(fix === undefined).toBe(warning === undefined);
  });

  it.each([
    ['AKIA0000000000000000', undefined, true],
    ['ASIA0000000000000000', 'token', false],
    ['ASIA0000000000000000', undefined, true],
  ])('%s with %s are long-lived: %s', async (accessKeyId, sessionToken, longLived) => {
    const client = createStsClient({
      region: 'eu-central-1',
      credentials: { accessKeyId, secretAccessKey: 'hush-hush', ...(sessionToken && { sessionToken }) },
    });
    const facts = await credentialFacts(client);
    client.destroy();
    expect(facts).toEqual({ longLived, endsAt: undefined });
  });
});

describe('the role', () => {
  const account = 'arn:aws:sts::111122223333';
  it.each([
    [`${account}:assumed-role/ai-employee-prod-access-AgentRole0A1B-Xyz/laptop`, undefined],
    [`${account}:assumed-role/AWSReservedSSO_Admin_abc/anna`, true],
    ['arn:aws:iam::111122223333:user/AgentRole', true],
    ['arn:aws:iam::111122223333:root', true],
  ])('of %s', (arn, warning) => {
    expect(roleCheck(arn)).toMatchObject({ ok: true, ...(warning && { warning }) });
    expect(roleCheck(arn).warning).toBe(warning);
  });
});

describe('the rotation of the secret', () => {
  const current: [string, readonly string[]] = ['a', ['AWSCURRENT']];
  const pending: [string, readonly string[]] = ['b', ['AWSPENDING']];
  const check = (change: Partial<SecretDescription>) =>
    rotationCheck(
      {
        rotationEnabled: true,
        rotateEveryDays: 30,
        lastRotatedAt: daysAgo(3),
        changedAt: daysAgo(3),
        stages: new Map<string, readonly string[]>([current]),
        ...change,
      },
      'arn:secret',
      nowMs,
    );

  it.each<[string, Partial<SecretDescription>, string]>([
    ['that was done', {}, `last rotated ${daysAgo(3)}, every 30 days`],
    ['that is due soon', { lastRotatedAt: daysAgo(36) }, `last rotated ${daysAgo(36)}`],
    ['that is not due yet', { lastRotatedAt: undefined, changedAt: daysAgo(1) }, 'not rotated so far'],
    [
      'that left AWSPENDING on the current version',
      { stages: new Map([['a', ['AWSCURRENT', 'AWSPENDING']]]) },
      'last',
    ],
    ['under way', { stages: new Map([current, pending]), changedAt: later(-0.1) }, 'under way'],
  ])('%s is well', (_name, change, detail) => {
    const found = check(change);
    expect(found).toMatchObject({ ok: true });
    expect(found.detail).toContain(detail);
  });

  it('that is off is a warning', () => {
    expect(check({ rotationEnabled: false })).toMatchObject({ ok: true, warning: true });
  });

  it.each<[string, Partial<SecretDescription>, string]>([
    ['that is stuck', { stages: new Map([current, pending]) }, 'AWSPENDING'],
    ['that is late', { lastRotatedAt: daysAgo(38) }, 'the key is older'],
    ['that never came', { lastRotatedAt: undefined, changedAt: daysAgo(38) }, 'not rotated so far'],
  ])('%s is a problem, with what to do', (_name, change, detail) => {
    const found = check(change);
    expect(found).toMatchObject({ ok: false, fix: expect.any(String) as string });
    expect(found.detail).toContain(detail);
  });
});
