import { describe, expect, it } from 'vitest';
import { emailServer } from '#local-agent/mcp/server-settings.ts';

const shell = {
  PATH: '/bin',
  HOME: '/home/you',
  AWS_PROFILE: 'production',
  AWS_ACCESS_KEY_ID: 'AKIASHELL',
  AWS_SECRET_ACCESS_KEY: 'of the shell',
  AWS_SESSION_TOKEN: 'of the shell',
  AWS_CONFIG_FILE: '/home/you/aws',
  AWS_ENDPOINT_URL_SES: 'http://elsewhere.example',
  AWS_MAX_ATTEMPTS: '5',
  NODE_OPTIONS: '--require=/tmp/x.js',
  GITHUB_TOKEN: 'secret',
};
const none = 'http://127.0.0.1:1';
const endpoints = {
  dynamodb: none,
  s3: none,
  sqs: none,
  ses: 'http://127.0.0.1:2',
  secretsmanager: none,
  sts: none,
};

describe('the environment of the mail server', () => {
  it('has the keys of a local cloud and nothing of the shell to sign with', () => {
    const credentials = { accessKeyId: 'AKIALOCALAGENT', secretAccessKey: 'local' };
    expect(emailServer({ region: 'eu-west-1', endpoints, credentials }, shell).env).toEqual({
      PATH: '/bin',
      HOME: '/home/you',
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL_SES: 'http://127.0.0.1:2',
      AWS_ACCESS_KEY_ID: 'AKIALOCALAGENT',
      AWS_SECRET_ACCESS_KEY: 'local',
    });
  });

  it('has the profile of the config rather than keys of the shell', () => {
    expect(emailServer({ region: 'eu-west-1', profile: 'mail' }, shell).env).toEqual({
      PATH: '/bin',
      HOME: '/home/you',
      AWS_REGION: 'eu-west-1',
      AWS_PROFILE: 'mail',
      AWS_CONFIG_FILE: '/home/you/aws',
    });
  });

  it('has the identity of the shell where the config names none', () => {
    expect(emailServer({ region: 'eu-west-1' }, shell).env).toEqual({
      PATH: '/bin',
      HOME: '/home/you',
      AWS_REGION: 'eu-west-1',
      AWS_PROFILE: 'production',
      AWS_ACCESS_KEY_ID: 'AKIASHELL',
      AWS_SECRET_ACCESS_KEY: 'of the shell',
      AWS_SESSION_TOKEN: 'of the shell',
      AWS_CONFIG_FILE: '/home/you/aws',
    });
  });
});
