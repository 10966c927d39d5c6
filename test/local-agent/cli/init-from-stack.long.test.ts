import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { credentialsOf } from '#local-cloud/credentials.ts';
import { startCloudFormation, type TestCloudFormation } from '#test/support/cloudformation.ts';
import { employee } from './employee-process.ts';
import type { Said } from './employee-process.ts';
import { createOwnersMachine } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';

const REGION = 'us-east-1';
const ROLE = 'arn:aws:iam::111122223333:role/ai-employee-dev-access-AgentRole1234-abc';
const MAIL = {
  DnsDkim1: 'a._domainkey.example.com. 300 IN CNAME a.dkim.amazonses.com.',
  DnsInboundMx: `example.com. 300 IN MX 10 inbound-smtp.${REGION}.amazonaws.com.`,
  DnsMailFromSpf: 'mail.example.com. 300 IN TXT "v=spf1 include:amazonses.com -all"',
  ActivateReceiptRuleSet: `aws ses set-active-receipt-rule-set --region ${REGION} --rule-set-name ai-employee-dev`,
  CheckReceiptRuleSet: `aws ses describe-active-receipt-rule-set --region ${REGION} --query Metadata.Name`,
};

let machine: OwnersMachine;
let service: TestCloudFormation;
let env: Record<string, string>;

beforeAll(async () => {
  service = await startCloudFormation(credentialsOf('owner'));
}, 60_000);
afterAll(() => service.close());

beforeEach(async () => {
  machine = await createOwnersMachine();
  const { outputs } = (await machine.json(machine.stackFile)) as { outputs: Record<string, string> };
  service.refuse(undefined);
  service.stacks.clear();
  service.stacks.set('ai-employee-dev-pipeline', { status: 'CREATE_COMPLETE', outputs });
  service.stacks.set('ai-employee-dev-mail', { status: 'UPDATE_COMPLETE', outputs: MAIL });
  service.stacks.set('ai-employee-dev-access', {
    status: 'CREATE_COMPLETE',
    outputs: { AgentRoleArn: ROLE },
  });
  const profiles = ['owner', 'agent'].map((name) => {
    const { accessKeyId, secretAccessKey } = credentialsOf(name);
    return `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
  });
  await writeFile(path.join(machine.folder, 'credentials'), profiles.join(''));
  await writeFile(path.join(machine.folder, 'aws-config'), '');
  env = {
    AWS_SHARED_CREDENTIALS_FILE: path.join(machine.folder, 'credentials'),
    AWS_CONFIG_FILE: path.join(machine.folder, 'aws-config'),
    AWS_ENDPOINT_URL_CLOUDFORMATION: service.endpoint,
    ...Object.fromEntries(
      Object.entries({
        DYNAMODB: 'dynamodb',
        S3: 's3',
        SECRETS_MANAGER: 'secretsmanager',
        STS: 'sts',
      } as const).map(([name, key]) => [`AWS_ENDPOINT_URL_${name}`, machine.emulators.endpoints[key]]),
    ),
  };
});
afterEach(() => machine.dispose());

function init(...args: string[]): Promise<Said> {
  return employee(['init', ...args, '--vault', machine.vault, '--config', machine.configFile], {
    cwd: machine.folder,
    env,
  });
}

const OWNER = ['--region', REGION, '--profile', 'owner'];

describe('employee init --from-stack', () => {
  it('reads the stack as the owner, sets the agent up with its own profile, checks all, and names the steps left', async () => {
    const said = await init(
      '--from-stack',
      'ai-employee-dev',
      ...OWNER,
      '--agent-profile',
      'agent',
      '--json',
    );
    expect(said).toMatchObject({ status: 0, stderr: '' });
    const { made, checks, nextSteps } = JSON.parse(said.stdout) as {
      made: string[];
      checks: { name: string; ok: boolean }[];
      nextSteps: { title: string; lines: string[] }[];
    };
    expect(made).toContain("the cloud zone's secret");
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(nextSteps.map(({ lines }) => lines)).toEqual([
      [MAIL.DnsDkim1, MAIL.DnsInboundMx, MAIL.DnsMailFromSpf],
      [expect.stringContaining('get-email-identity --email-identity example.com')],
      [expect.stringContaining('get-account'), expect.stringContaining('put-account-details')],
      [`${MAIL.ActivateReceiptRuleSet} --profile owner`, `${MAIL.CheckReceiptRuleSet} --profile owner`],
      ['npx employee run'],
      ['npx employee canary'],
    ]);
    const config = await machine.json(machine.configFile);
    expect(config).toMatchObject({ region: REGION, profile: 'agent', pollMs: 10_000 });
    expect(config).not.toHaveProperty('endpoints');
    expect(config).not.toHaveProperty('credentials');
    const callers = (key: 'secretsmanager' | 'dynamodb'): string[] => [
      ...new Set(machine.emulators.calls.list({ service: key }).map((call) => call.accessKeyId)),
    ];
    expect(callers('dynamodb')).toEqual(['AKIALOCALPLATFORM', 'AKIALOCALAGENT']);
    expect(new Set(service.regions)).toEqual(new Set([REGION]));
  });

  it('without an agent’s profile works as the owner, says how to change that, and a second run does it', async () => {
    // The region is the profile's own, the profile that of the shell.
    await writeFile(path.join(machine.folder, 'aws-config'), `[profile owner]\nregion = ${REGION}\n`);
    env['AWS_PROFILE'] = 'owner';
    const first = await init('--from-stack', 'ai-employee-dev-pipeline');
    expect(first).toMatchObject({ status: 0 });
    expect(first.stdout).toContain('[profile ai-employee-dev-agent]');
    expect(first.stdout).toContain(`role_arn = ${ROLE}`);
    expect(first.stdout).toContain('mfa_serial = arn:aws:iam::111122223333:mfa/');
    expect(first.stdout).toContain('--profile owner --agent-profile ai-employee-dev-agent');
    expect(await machine.json(machine.configFile)).toMatchObject({ profile: 'owner' });

    const second = await init('--from-stack', 'ai-employee-dev', ...OWNER, '--agent-profile', 'agent');
    expect(second).toMatchObject({ status: 0 });
    expect(second.stdout).toContain('everything was there already');
    expect(second.stdout).not.toContain('[profile');
    expect(await machine.json(machine.configFile)).toMatchObject({ profile: 'agent' });
  });

  it('tells an unattended machine how its certificate is used', async () => {
    service.stacks.set('ai-employee-dev-access', {
      status: 'CREATE_COMPLETE',
      outputs: { AgentRoleArn: ROLE, AgentTrustAnchorArn: 'arn:anchor', AgentProfileArn: 'arn:profile' },
    });
    const { stdout } = await init('--from-stack', 'ai-employee-dev', ...OWNER);
    expect(stdout).toContain(
      `aws_signing_helper credential-process --certificate CERTIFICATE.pem --private-key KEY.pem --trust-anchor-arn arn:anchor --profile-arn arn:profile --role-arn ${ROLE}`,
    );
    expect(stdout).not.toContain('mfa_serial');
  });
});

describe('a stack that cannot be read', () => {
  const all = ['--from-stack', 'ai-employee-dev', ...OWNER];
  const cases: readonly {
    readonly name: string;
    readonly args?: readonly string[];
    readonly prepare?: () => void | Promise<void>;
    readonly status: number;
    readonly code: string;
    readonly words: readonly string[];
  }[] = [
    {
      name: 'no credentials at all',
      args: ['--from-stack', 'ai-employee-dev', '--region', REGION],
      status: 1,
      code: 'CREDENTIALS',
      words: ['no AWS credentials', 'aws sso login', '--profile'],
    },
    {
      name: 'a profile that is not there',
      args: ['--from-stack', 'ai-employee-dev', '--region', REGION, '--profile', 'nobody'],
      status: 1,
      code: 'CREDENTIALS',
      words: ['"nobody"', '--profile'],
    },
    {
      name: 'credentials that have expired',
      prepare: () => service.refuse({ status: 403, code: 'ExpiredToken', message: 'The token is expired' }),
      status: 1,
      code: 'CREDENTIALS',
      words: ['ExpiredToken', 'sign in again'],
    },
    {
      name: 'a right that is missing',
      prepare: () =>
        service.refuse({
          status: 403,
          code: 'AccessDenied',
          message: 'not authorized: cloudformation:DescribeStacks',
        }),
      status: 1,
      code: 'DENIED',
      words: ['cloudformation:DescribeStacks'],
    },
    {
      name: 'no such stack in this region',
      args: ['--from-stack', 'ai-employee-prod', '--region', 'eu-west-1', '--profile', 'owner'],
      status: 2,
      code: 'STACK_MISSING',
      words: ['ai-employee-prod-pipeline', 'eu-west-1', '"owner"', '--region', 'cdk deploy'],
    },
    {
      name: 'no region',
      args: ['--from-stack', 'ai-employee-dev', '--profile', 'owner'],
      status: 2,
      code: 'USAGE',
      words: ['--region'],
    },
    {
      name: 'a region that is none',
      args: ['--from-stack', 'ai-employee-dev', '--region', 'Frankfurt'],
      status: 2,
      code: 'USAGE',
      words: ['--region', 'eu-west-1'],
    },
    {
      name: 'a stack that is still being made',
      prepare: () =>
        void service.stacks.set('ai-employee-dev-mail', { status: 'CREATE_IN_PROGRESS', outputs: {} }),
      status: 1,
      code: 'STACK_NOT_READY',
      words: ['still at work', 'aws cloudformation wait stack-create-complete', 'ai-employee-dev-mail'],
    },
    {
      name: 'a stack that failed',
      prepare: () =>
        void service.stacks.set('ai-employee-dev-pipeline', { status: 'ROLLBACK_COMPLETE', outputs: {} }),
      status: 1,
      code: 'STACK_NOT_READY',
      words: ['not deployed (ROLLBACK_COMPLETE)', 'describe-stack-events', 'cdk deploy'],
    },
    {
      name: 'a stack of an older version',
      prepare: () =>
        void service.stacks.set('ai-employee-dev-pipeline', { status: 'CREATE_COMPLETE', outputs: {} }),
      status: 2,
      code: 'STACK_MISSING',
      words: ['no output TasksTable', 'cdk deploy'],
    },
    {
      name: 'two descriptions of one stack',
      args: ['--from-stack', 'ai-employee-dev', '--stack-file', 'stack.json'],
      status: 2,
      code: 'USAGE',
      words: ['--from-stack', '--stack-file'],
    },
    {
      name: 'a profile for a stack file',
      args: ['--stack-file', 'stack.json', '--profile', 'owner'],
      status: 2,
      code: 'USAGE',
      words: ['--profile goes with --from-stack'],
    },
  ];
  it.for(cases)(
    '$name: said with what to do, and nothing is made',
    async ({ args, prepare, status, code, words }) => {
      await prepare?.();
      const said = await init(...(args ?? all), '--json');
      const { error } = JSON.parse(said.stdout) as { error: { code: string; message: string } };
      expect({ status: said.status, code: error.code }).toEqual({ status, code });
      for (const word of words) expect(error.message).toContain(word);
      await expect(machine.json(machine.configFile)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );
});
