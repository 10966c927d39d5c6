import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryDir } from '#infra/paths.ts';
import { ensureAssembly, synthesize } from '#infra/synth.ts';

// Loaded into the command line and into the app it starts: notes every attempt to reach another machine.
const witness = `
const { appendFileSync } = require('node:fs');
const net = require('node:net');
const dns = require('node:dns');
const note = (what) => appendFileSync(process.env.NETWORK_LOG, what + '\\n');
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) { note('connect'); return connect.apply(this, args); };
const { lookup } = dns;
dns.lookup = (name, ...args) => { note('lookup ' + name); return lookup(name, ...args); };
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synth-'));
  await writeFile(join(folder, 'witness.cjs'), witness);
  // Built here rather than by several command lines at once.
  await ensureAssembly();
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('npx cdk synth', () => {
  it('needs no network, account or home, prints no notices, and gives what the local cloud reads', async () => {
    const out = join(folder, 'cli');
    const { code, stdout, stderr } = await cdk(['synth', '--output', out]);
    expect({ code, stderr: stderr.replace(/^Successfully[^]*/, '') }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('');
    expect(await readFile(join(folder, 'network.log'), 'utf8').catch(() => '')).toBe('');

    const { assemblyDir } = await ensureAssembly();
    const templates = (await readdir(out)).filter((name) => name.endsWith('.template.json'));
    expect(templates).toHaveLength(5);
    for (const name of [...templates, 'manifest.json']) {
      expect(await readFile(join(out, name), 'utf8'), name).toBe(
        await readFile(join(assemblyDir, name), 'utf8'),
      );
    }
  }, 120_000);

  it('says what is wrong with a setting, and nothing of where in the code', async () => {
    const { code, stderr } = await cdk([
      'synth',
      '--output',
      join(folder, 'bad'),
      '-c',
      'stage=test',
      '-c',
      'profil=full',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('  - profil: no such setting; there are stage, profile,');
    expect(stderr).toContain('  - stage: expected dev or prod');
    expect(stderr).not.toMatch(/^\s+at /m);
  }, 120_000);
});

describe('the assembly for tests and local cloud', () => {
  it('is left alone while nothing it is made of changes', async () => {
    const { assemblyDir, bundlesDir } = await ensureAssembly();
    const made = async (): Promise<number[]> =>
      Promise.all([assemblyDir, bundlesDir].map(async (path) => (await stat(path)).ino));
    const before = await made();
    await Promise.all([ensureAssembly(), ensureAssembly(), ensureAssembly()]);
    expect(await made()).toEqual(before);
  });

  it('carries each function’s bundle, byte for byte, in the folder that the template names', async () => {
    const { assemblyDir, bundlesDir } = await ensureAssembly();
    const template = JSON.parse(
      await readFile(join(assemblyDir, 'ai-employee-dev-pipeline.template.json'), 'utf8'),
    ) as { Resources: Record<string, { Type: string; Metadata?: Record<string, string> }> };
    const assets = Object.values(template.Resources)
      .filter(({ Type }) => Type === 'AWS::Lambda::Function')
      .map(({ Metadata }) => Metadata?.['aws:asset:path'] ?? '');
    const carried = await Promise.all(assets.map((asset) => readFile(join(assemblyDir, asset, 'index.mjs'))));
    const built = await Promise.all(
      ['triage', 'draft', 'rotate', 'archive'].map((name) => readFile(join(bundlesDir, name, 'index.mjs'))),
    );
    expect(carried).toEqual(built);
  });

  it('is refused with a code when its bundles are missing', async () => {
    const made = synthesize({ bundlesDir: join(folder, 'gone'), outDir: join(folder, 'out') });
    await expect(made).rejects.toMatchObject({
      code: 'SYNTHESIS_FAILED',
      message: expect.stringMatching(/gone/) as string,
    });
  });
});

async function cdk(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(join(repositoryDir, 'node_modules/.bin/cdk'), args, {
    cwd: repositoryDir,
    env: {
      PATH: `${join(repositoryDir, 'node_modules/.bin')}:/usr/bin:/bin`,
      HOME: folder,
      NETWORK_LOG: join(folder, 'network.log'),
      NODE_OPTIONS: `--require ${join(folder, 'witness.cjs')}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
