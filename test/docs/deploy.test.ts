import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { type InvalidSettingsError, parseSettings } from '#infra/config.ts';
import { nextSteps } from '#local-agent/next-steps.ts';
import { parseCommandLine } from '#local-agent/program.ts';
import { caCertificate } from '#test/infra/certificates.ts';
import { type Deployment, deploymentsOf } from '#test/infra/deployments.ts';

const run = promisify(execFile);
const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/deploy.md'), 'utf8');
const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
const commands = blocks.flatMap((block) => block.split('\n')).map((line) => line.replace(/ +#.*$/, ''));

let byMfa: Deployment;
let byCertificate: Deployment;
beforeAll(async () => {
  const base = { stage: 'dev', profile: 'lean', mailDomain: 'example.org' } as const;
  const certificate = {
    agentTrust: 'roles-anywhere',
    agentCertificateName: 'laptop',
    agentCaCertificate: caCertificate,
  };
  const found = await deploymentsOf([base, { ...base, ...certificate }]);
  [byMfa, byCertificate] = found as [Deployment, Deployment];
}, 60_000);

/** What `init` prints for the deployment of the page, with what only AWS knows as the page has it. */
function printed(deployment: Deployment): string[] {
  const outputs = Object.fromEntries(
    Object.entries(deployment.allOutputs).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : '',
    ]),
  );
  const stack = {
    tasksTable: 'tasks',
    ledgerTable: 'ledger',
    vaultBucket: 'vault',
    vaultSecretArn: 'secret',
    fromAddress: outputs['FromAddress'] ?? '',
    ownAddresses: ['assistant@example.org'],
  };
  const access = { region: 'eu-central-1', stack, profiles: { owner: 'owner' } };
  return nextSteps({ prefix: 'ai-employee-dev', access, outputs })
    .flatMap(({ lines }) => lines)
    .filter((line) => !line.includes(' CNAME '))
    .map((line) =>
      line.replace(/:role\/[\w-]+/, ':role/NAME').replace(/:(trust-anchor|profile)\/[\w-]+/g, ':$1/ID'),
    );
}

describe('docs/deploy.md', () => {
  it('has every line that init prints, as it prints it', () => {
    const lines = [...printed(byMfa), ...printed(byCertificate)];
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => !text.includes(line))).toEqual([]);
  });

  it('lists every setting there is, and sets no other', () => {
    const known = settingNames();
    const listed = [...text.matchAll(/^\| (`[^|]*`) +\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );
    expect(listed.filter((name) => !name.startsWith('Dns')).sort()).toEqual(known.sort());
    const set = [...text.matchAll(/-c "?(\w+)=/g)].map(([, name = '']) => name);
    expect(set.length).toBeGreaterThan(5);
    expect(set.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('names stacks and outputs that there are', () => {
    const stacks = new Set(byMfa.resources.map(({ stack }) => stack));
    const named = [...text.matchAll(/ai-employee-dev-(\w+)/g)].map(([name]) => name);
    expect(new Set(named.filter((name) => name !== 'ai-employee-dev-agent'))).toEqual(stacks);
    const outputs = [...text.matchAll(/`((?:Dns|Agent)[A-Z]\w+)`/g)].map(([, name = '']) => name);
    expect(outputs.length).toBeGreaterThan(7);
    const all = { ...byMfa.allOutputs, ...byCertificate.allOutputs };
    expect(outputs.filter((name) => !(name in all))).toEqual([]);
    expect(Object.keys(all).filter((name) => /^(Dns|Agent)/.test(name) && !text.includes(name))).toEqual([]);
  });

  it('calls employee as it can be called', () => {
    const calls = commands.filter((line) => line.startsWith('npx employee '));
    expect(calls.length).toBeGreaterThan(5);
    for (const call of calls) {
      expect(parseCommandLine(call.split(' ').slice(2), '0.0.0'), call).toMatchObject({ kind: 'run' });
    }
  });

  it('names the account’s profile in every command that reaches AWS', () => {
    const lost = commands.filter(
      (line) => /(^|[ (|])(aws [a-z0-9]+ |npx cdk )/.test(line) && !/--profile [a-z]/.test(line),
    );
    expect(lost).toEqual([]);
  });

  it.each(blocks.map((block) => [block.split('\n')[0], block]))(
    'can be read by a shell: %s',
    async (_, block) => {
      await expect(run('sh', ['-n', '-c', block ?? ''])).resolves.toMatchObject({ stderr: '' });
    },
  );

  it('makes a certificate that the settings take', async (context) => {
    const block = blocks.find((each) => each.startsWith('openssl ')) ?? '';
    if (!(await run('openssl', ['version']).catch(() => undefined))) context.skip('there is no openssl here');
    const folder = await mkdtemp(path.join(tmpdir(), 'certificate-'));
    try {
      await run('sh', ['-e', '-c', block], { cwd: folder });
      await run('openssl', ['verify', '-CAfile', 'ca.pem', 'agent.pem'], { cwd: folder });
      const inOneLine = (await run('sh', ['-c', "tr -d '\\n' < ca.pem"], { cwd: folder })).stdout;
      const { agent } = parseSettings({
        agentTrust: 'roles-anywhere',
        agentCertificateName: 'laptop',
        agentCaCertificate: inOneLine,
      });
      expect(agent).toMatchObject({
        caCertificate: (await readFile(path.join(folder, 'ca.pem'), 'utf8')).trim(),
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** All settings, by what the refusal of one that is none says. */
function settingNames(): string[] {
  try {
    parseSettings({ none: 1 });
  } catch (error) {
    const [problem = ''] = (error as InvalidSettingsError).problems;
    return problem.replace(/^.*there are /, '').split(', ');
  }
  throw new Error('a setting that is none was taken');
}
