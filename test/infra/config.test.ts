import { describe, expect, it } from 'vitest';
import { InvalidSettingsError, parseSettings } from '#infra/config.ts';

describe('settings of a deployment', () => {
  it('are complete without anything set', () => {
    expect(parseSettings({})).toEqual({
      stage: 'dev',
      profile: 'lean',
      mailDomain: 'example.com',
      recipients: ['assistant@example.com'],
      fromAddress: 'assistant@example.com',
      ownAddresses: ['assistant@example.com', 'owner@example.com'],
    });
  });

  it('follow the mail domain where nothing else is said', () => {
    expect(parseSettings({ mailDomain: 'ACME.co.uk' })).toMatchObject({
      recipients: ['assistant@acme.co.uk'],
      fromAddress: 'assistant@acme.co.uk',
      ownAddresses: ['assistant@acme.co.uk', 'owner@acme.co.uk'],
    });
  });

  it('take a list from JSON as well as with commas, which is all that -c can carry', () => {
    const list = parseSettings({ recipients: ['a@example.com', 'b@example.com'] });
    expect(parseSettings({ recipients: ' a@example.com, B@example.com,' })).toEqual(list);
    expect(list.fromAddress).toBe('a@example.com');
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
