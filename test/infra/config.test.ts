import { describe, expect, it } from 'vitest';
import { InvalidSettingsError, parseSettings } from '#infra/config.ts';
import { caCertificate, leafCertificate } from './certificates.ts';

describe('settings of a deployment', () => {
  it('are complete without anything set', () => {
    expect(parseSettings({})).toEqual({
      stage: 'dev',
      profile: 'lean',
      mailDomain: 'example.com',
      recipients: ['assistant@example.com'],
      fromAddress: 'assistant@example.com',
      ownAddresses: ['assistant@example.com', 'owner@example.com'],
      mailFromDomain: 'mail.example.com',
      dmarcPolicy: 'quarantine',
      monthlyBudgetUsd: 5,
      archiveRetentionDays: 1,
      secretRotationDays: 30,
      triageConcurrency: 2,
      draftConcurrency: 2,
      agent: { trust: 'mfa' },
    });
  });

  it('lock the archive for a year in prod, where nobody can shorten it, and for a day in dev', () => {
    const days = (context: Record<string, unknown>): number => parseSettings(context).archiveRetentionDays;
    expect([days({ stage: 'prod' }), days({ stage: 'dev' })]).toEqual([365, 1]);
    expect(days({ stage: 'prod', archiveRetentionDays: 30 })).toBe(30);
  });

  it('take a number as text too, which is all that -c can carry', () => {
    const settings = { monthlyBudgetUsd: '7.5', archiveRetentionDays: '90', secretRotationDays: '7' };
    expect(parseSettings(settings)).toMatchObject({
      monthlyBudgetUsd: 7.5,
      archiveRetentionDays: 90,
      secretRotationDays: 7,
    });
  });

  it('follow the mail domain where nothing else is said', () => {
    expect(parseSettings({ mailDomain: 'ACME.co.uk' })).toMatchObject({
      recipients: ['assistant@acme.co.uk'],
      fromAddress: 'assistant@acme.co.uk',
      ownAddresses: ['assistant@acme.co.uk', 'owner@acme.co.uk'],
      mailFromDomain: 'mail.acme.co.uk',
    });
  });

  it('take a list from JSON as well as with commas, which is all that -c can carry', () => {
    const list = parseSettings({ recipients: ['a@example.com', 'b@example.com'] });
    expect(parseSettings({ recipients: ' a@example.com, B@example.com,' })).toEqual(list);
    expect(list.fromAddress).toBe('a@example.com');
  });

  it('name who may take the agent’s role, by one kind of trust', () => {
    expect(parseSettings({ agentPrincipal: 'user/anna' }).agent).toEqual({
      trust: 'mfa',
      principal: 'user/anna',
    });
    const unattended = { agentTrust: 'roles-anywhere', agentCertificateName: 'laptop' };
    const agent = { trust: 'roles-anywhere', certificateName: 'laptop', caCertificate: caCertificate.trim() };
    expect(parseSettings({ ...unattended, agentCaCertificate: caCertificate }).agent).toEqual(agent);
    // The command line of CDK carries no line break.
    const inOneLine = caCertificate.replaceAll('\n', '');
    expect(parseSettings({ ...unattended, agentCaCertificate: inOneLine }).agent).toEqual(agent);
  });

  it('count the assistant’s own addresses among those never answered, whatever else is listed', () => {
    const { ownAddresses } = parseSettings({
      recipients: 'a@example.com,b@example.com',
      fromAddress: 'c@example.com',
      ownAddresses: 'me@home.org,a@example.com',
    });
    expect(ownAddresses).toEqual(['a@example.com', 'b@example.com', 'c@example.com', 'me@home.org']);
  });

  it('leave alone what belongs to CDK and its tools', () => {
    expect(parseSettings({ '@aws-cdk/core:x': true, 'aws:cdk:y': 1, 'cli-telemetry': false }).stage).toBe(
      'dev',
    );
  });

  it.each([
    ['a misspelt name', { profil: 'full' }, /profil: no such setting; there are stage, profile/],
    ['a stage that is none', { stage: 'test' }, /stage: expected dev or prod/],
    ['a profile that is none', { profile: 'rich' }, /profile: expected lean or full/],
    ['a domain that is none', { mailDomain: 'localhost' }, /mailDomain: "localhost" is not a domain name/],
    [
      'an address that is none',
      { fromAddress: 'assistant' },
      /fromAddress: "assistant" is not an e-mail address/,
    ],
    [
      'an address in a list that is none',
      { recipients: 'a@example.com,b' },
      /recipients: "b" is not an e-mail address/,
    ],
    ['an empty list', { recipients: ' , ' }, /recipients: at least one address/],
    ['a list that is none', { ownAddresses: 7 }, /ownAddresses: expected e-mail addresses/],
    [
      'a recipient elsewhere',
      { recipients: 'a@other.org' },
      /recipients: "a@other.org" is not in the mail domain/,
    ],
    [
      'a recipient in a domain that only ends the same',
      { recipients: 'a@evilexample.com' },
      /is not in the mail/,
    ],
    [
      'a sender elsewhere',
      { fromAddress: 'a@other.org' },
      /fromAddress: "a@other.org" is not in the mail domain/,
    ],
    [
      'a MAIL FROM domain elsewhere',
      { mailFromDomain: 'mail.other.org' },
      /mailFromDomain: "mail.other.org" is not a subdomain of example.com/,
    ],
    [
      'the mail domain itself as its MAIL FROM domain, whose MX record is taken',
      { mailFromDomain: 'example.com' },
      /mailFromDomain: "example.com" is not a subdomain/,
    ],
    ['a DMARC policy that is none', { dmarcPolicy: 'drop' }, /dmarcPolicy: expected none, quarantine or/],
    ['a budget that is no number', { monthlyBudgetUsd: 'five' }, /monthlyBudgetUsd: expected US dollars/],
    ['a budget of nothing', { monthlyBudgetUsd: '0' }, /monthlyBudgetUsd: expected more than 0/],
    [
      'a retention of half a day',
      { archiveRetentionDays: 0.5 },
      /archiveRetentionDays: expected whole days, such as 365/,
    ],
    ['no rotation at all', { secretRotationDays: 0 }, /secretRotationDays: expected at least 1 day/],
    ['a rotation too rare', { secretRotationDays: '1001' }, /secretRotationDays: expected at most 1000 days/],
    ['no retention at all', { archiveRetentionDays: 0 }, /archiveRetentionDays: expected at least 1 day/],
    [
      'a retention longer than S3 takes',
      { archiveRetentionDays: 40000 },
      /archiveRetentionDays: expected at most 36500 days/,
    ],
    [
      'a kind of trust that is none',
      { agentTrust: 'password' },
      /agentTrust: expected mfa or roles-anywhere/,
    ],
    [
      'a principal of another account',
      { agentPrincipal: 'arn:aws:iam::999999999999:user/x' },
      /agentPrincipal: expected a user or role of this account, such as user\/anna/,
    ],
    [
      'a certificate that may sign no other',
      { agentTrust: 'roles-anywhere', agentCertificateName: 'x', agentCaCertificate: leafCertificate },
      /agentCaCertificate: expected the certificate of an authority/,
    ],
    ['a certificate name for many', { agentCertificateName: 'lap*' }, /agentCertificateName: expected a/],
    [
      'certificates that are not given',
      { agentTrust: 'roles-anywhere' },
      /agentCaCertificate: needed with agentTrust=roles-anywhere\n.*agentCertificateName: needed/,
    ],
    [
      'a certificate where a second factor is asked',
      { agentCertificateName: 'laptop' },
      /agentCertificateName: has no meaning with agentTrust=mfa/,
    ],
    [
      'a principal where a certificate is asked',
      {
        agentTrust: 'roles-anywhere',
        agentPrincipal: 'user/anna',
        agentCaCertificate: caCertificate,
        agentCertificateName: 'laptop',
      },
      /agentPrincipal: has no meaning with agentTrust=roles-anywhere/,
    ],
    ['an alarm address that is none', { alarmEmail: 'me' }, /alarmEmail: "me" is not an e-mail address/],
  ])('refuse %s', (_, context, message) => {
    expect(() => parseSettings(context)).toThrow(message);
  });

  it('name every problem at once, and where to set them', () => {
    const error = caught(() => parseSettings({ stage: 'x', profile: 'y', recipient: 'z' }));
    expect(error).toBeInstanceOf(InvalidSettingsError);
    expect(error).toMatchObject({
      code: 'INVALID_SETTINGS',
      problems: [/^recipient/, /^stage/, /^profile/].map(matching),
    });
    expect((error as Error).message).toContain('cdk.context.json');
  });
});

function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
