import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { build } from 'esbuild';
import { bundle, bundleEntries, bundleOptions, BundleError } from '#infra/build.ts';
import { repositoryDir } from '#infra/paths.ts';
import { ensureAssembly } from '#infra/synth.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'build-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a bundle', () => {
  it('runs as an ES module although a package inside it is CommonJS and asks for a built-in', async () => {
    await source(
      'node_modules/old-style/index.js',
      "module.exports = require('node:path').basename('/a/b');",
    );
    await source(
      'main.ts',
      "import name from 'old-style';\nexport const handler = async (): Promise<string> => name;",
    );
    await bundle({ 'f/index': 'main.ts' }, folder, join(folder, 'out'));
    const { handler } = (await import(pathToFileURL(join(folder, 'out/f/index.mjs')).href)) as {
      handler: () => Promise<string>;
    };
    expect(await handler()).toBe('b');
  });

  it('is the same to the byte wherever it is made', async () => {
    await source('main.ts', 'export const handler = (): number => 1;');
    await bundle({ index: 'main.ts' }, folder, join(folder, 'one'));
    await bundle({ index: 'main.ts' }, folder, join(folder, 'elsewhere/two'));
    expect(await readFile(join(folder, 'one/index.mjs'))).toEqual(
      await readFile(join(folder, 'elsewhere/two/index.mjs')),
    );
  });

  it('carries of zod what it uses, not the messages of every language', async () => {
    await symlink(join(repositoryDir, 'node_modules'), join(folder, 'node_modules'));
    await source(
      'main.ts',
      "import { z } from 'zod';\nexport const handler = (): unknown => z.object({ a: z.string() });",
    );
    await bundle({ index: 'main.ts' }, folder, join(folder, 'out'));
    expect((await stat(join(folder, 'out/index.mjs'))).size).toBeLessThan(120_000);
  });

  it.each(['mailparser', 'gray-matter', 'ai', '@aws-crypto/client-node', '@aws-crypto/material-management'])(
    'may not draw in %s, however deep',
    async (name) => {
      await source(`node_modules/middle/node_modules/${name}/index.js`, 'export const x = () => Date.now();');
      await source('node_modules/middle/index.js', `export { x } from '${name}';`);
      await source('main.ts', "import { x } from 'middle';\nexport const handler = (): unknown => x;");
      const made = bundle({ 'f/index': 'main.ts' }, folder, join(folder, 'out'));
      await expect(made).rejects.toThrow(`f/index.mjs draws in ${name}`);
    },
  );

  it.each(['mailparser-like', 'aid', '@aws-crypto/crc32', '@scope/ai'])('may draw in %s', async (name) => {
    await source(`node_modules/${name}/index.js`, 'export const x = () => Date.now();');
    await source('main.ts', `import { x } from '${name}';\nexport const handler = (): unknown => x;`);
    const { outputs } = await bundle({ 'f/index': 'main.ts' }, folder, join(folder, 'out'));
    expect(Object.keys(outputs)).toEqual(['f/index.mjs']);
  });

  it.each([
    ['is not there', undefined, /cannot be bundled: main\.ts does not exist/],
    ['does not parse', 'export const = 1;', /cannot be bundled:[^]*main\.ts:1:13/],
    ['imports what is not there', "import './gone.ts';", /Could not resolve "\.\/gone\.ts"/],
  ])('names the source that %s', async (_, code, message) => {
    if (code !== undefined) await source('main.ts', code);
    const made = bundle({ 'f/index': 'main.ts' }, folder, join(folder, 'out'));
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.toBeInstanceOf(BundleError);
  });
});

describe('the bundles of the functions', () => {
  it('are all there, and stay within their budget over the three SDK clients alone', async () => {
    const { bundlesDir } = await ensureAssembly();
    await symlink(join(repositoryDir, 'node_modules'), join(folder, 'node_modules'));
    await source(
      'clients.ts',
      `export { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
       export { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
       export { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';`,
    );
    await build({
      ...bundleOptions,
      entryPoints: { clients: 'clients.ts' },
      absWorkingDir: folder,
      outdir: join(folder, 'out'),
    });
    const base = await sizeBytes(join(folder, 'out/clients.mjs'));
    const ratio = async (name: string): Promise<number> =>
      (await sizeBytes(join(bundlesDir, `${name}.mjs`))) / base;

    expect(base).toBeGreaterThan(400_000);
    expect(await ratio('triage/index')).toBeLessThanOrEqual(1.45);
    expect(await ratio('draft/index')).toBeLessThanOrEqual(1.6);
    expect(await ratio('rotate/index')).toBeLessThanOrEqual(1.45);
    // One client of the three.
    expect(await ratio('archive/index')).toBeLessThanOrEqual(1);
    for (const name of Object.keys(bundleEntries)) expect(await ratio(name)).toBeGreaterThan(0);
  }, 120_000);

  it('take their credentials from the environment, and carry no other way to get them', async () => {
    const { outputs } = await bundle(bundleEntries, repositoryDir, join(folder, 'all'));
    const drawn = (name: string): string[] => [
      ...new Set(
        Object.keys(outputs[name]?.inputs ?? {}).flatMap(
          (input) => /credential-provider-\w+/.exec(input) ?? [],
        ),
      ),
    ];
    for (const name of ['triage/index.mjs', 'draft/index.mjs', 'rotate/index.mjs']) {
      expect(drawn(name).filter((provider) => provider !== 'credential-provider-env')).toEqual([
        // The empty module that stands for the chain.
        'credential-provider-node',
      ]);
    }
  }, 120_000);
});

async function source(path: string, code: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), code);
}

async function sizeBytes(path: string): Promise<number> {
  return (await stat(path)).size;
}
