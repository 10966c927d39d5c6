import path from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { TABLE } from '../../eslint/import-table.mjs';

const RULE = 'house/import-table';
const root = path.resolve(import.meta.dirname, '../..');

// The project's own configuration, so that a rule switched off there fails here. Types are left out: planted files
// are not on disk, and the table needs none.
const eslint = new ESLint({ cwd: root, overrideConfig: tseslint.configs.disableTypeChecked as never });

async function complaints(filePath: string, code: string): Promise<string[]> {
  const results = await eslint.lintText(code, { filePath: path.join(root, filePath) });
  return results.flatMap(({ messages }) =>
    messages.filter(({ ruleId, fatal }) => ruleId === RULE || fatal === true).map(({ message }) => message),
  );
}

function complaintsAboutImport(filePath: string, specifier: string): Promise<string[]> {
  return complaints(filePath, `import { x } from '${specifier}';\nexport const y: unknown = x;\n`);
}

interface Example {
  file: string;
  allowed: string[];
  forbidden: string[];
}

const EXAMPLES: Record<string, Example> = {
  protocol: {
    file: 'protocol/planted.ts',
    allowed: ['./task.ts', '#protocol/task.ts', 'zod', 'node:crypto', 'crypto', 'yaml', 'canonicalize'],
    forbidden: [
      '#adapters/x.ts',
      '../adapters/x.ts',
      '#lambdas/triage/env.ts',
      '#local-agent/cli.ts',
      '@aws-sdk/client-s3',
      'node:fs',
      'fs/promises',
      'hono',
    ],
  },
  adapters: {
    file: 'adapters/planted.ts',
    allowed: [
      './other.ts',
      '#protocol/task.ts',
      '@aws-sdk/client-s3',
      '@smithy/types',
      'postal-mime',
      'node:fs/promises',
    ],
    forbidden: [
      '#lambdas/triage/triage.ts',
      '#infra/config.ts',
      '#local-agent/sync.ts',
      '#local-cloud/start.ts',
      'hono',
      'dynalite',
    ],
  },
  'lambdas/runtime': {
    file: 'lambdas/runtime/planted.ts',
    allowed: ['./other.ts', '#protocol/task.ts', '@middy/core', '@aws-lambda-powertools/logger', 'zod'],
    forbidden: ['../triage/triage.ts', '#adapters/x.ts', '@aws-sdk/client-s3', 'node:fs'],
  },
  'lambdas/env': {
    file: 'lambdas/triage/env.ts',
    allowed: ['zod', '#protocol/task.ts'],
    forbidden: ['./triage.ts', '#adapters/x.ts', '@middy/core', '#lambdas/runtime/x.ts', 'node:process'],
  },
  'lambdas/stage': {
    file: 'lambdas/triage/triage.ts',
    allowed: ['./classify.ts', '#protocol/task.ts'],
    forbidden: [
      './handler.ts',
      './main.ts',
      '../draft/draft.ts',
      '#lambdas/runtime/x.ts',
      '#adapters/x.ts',
      '@middy/core',
      '@aws-sdk/client-sqs',
      'zod',
      'node:crypto',
    ],
  },
  'lambdas/handler': {
    file: 'lambdas/triage/handler.ts',
    allowed: [
      './triage.ts',
      './env.ts',
      '../runtime/batch.ts',
      '#lambdas/runtime/batch.ts',
      '#protocol/task.ts',
      '@middy/core',
      '@aws-lambda-powertools/batch',
    ],
    forbidden: [
      './main.ts',
      '../draft/draft.ts',
      '#lambdas/draft/env.ts',
      '#adapters/x.ts',
      '@aws-sdk/client-s3',
      'node:fs',
    ],
  },
  'lambdas/main': {
    file: 'lambdas/triage/main.ts',
    allowed: [
      './handler.ts',
      './triage.ts',
      './env.ts',
      '#lambdas/runtime/x.ts',
      '#adapters/x.ts',
      '#protocol/task.ts',
      '@middy/core',
    ],
    forbidden: [
      '../draft/handler.ts',
      '@aws-sdk/client-s3',
      '#local-agent/cli.ts',
      '#infra/config.ts',
      'hono',
    ],
  },
  'infra/paths': {
    file: 'infra/paths.ts',
    allowed: ['node:path', 'node:url'],
    forbidden: ['./config.ts', 'aws-cdk-lib', '#protocol/task.ts'],
  },
  infra: {
    file: 'infra/planted-stack.ts',
    allowed: [
      './config.ts',
      './paths.ts',
      '#protocol/task.ts',
      '#lambdas/triage/env.ts',
      'aws-cdk-lib/aws-s3',
      'constructs',
      'cdk-nag',
      'esbuild',
      'zod',
      'node:fs',
    ],
    forbidden: [
      '#lambdas/triage/triage.ts',
      '#lambdas/triage/main.ts',
      '#adapters/x.ts',
      '#local-cloud/start.ts',
      '@aws-sdk/client-s3',
    ],
  },
  'local-agent': {
    file: 'local-agent/planted.ts',
    allowed: [
      './sync.ts',
      './mcp/host.ts',
      '#local-agent/mcp/host.ts',
      '#protocol/task.ts',
      '#adapters/x.ts',
      'commander',
      'yaml',
      'zod',
      'hono/cookie',
      '@hono/node-server',
      'node:sqlite',
    ],
    forbidden: [
      '@modelcontextprotocol/sdk/client/index.js',
      'nodemailer',
      '#lambdas/draft/draft.ts',
      '#infra/paths.ts',
      '#local-cloud/start.ts',
      'dynalite',
    ],
  },
  'local-agent/mcp': {
    file: 'local-agent/mcp/planted.ts',
    allowed: [
      './host.ts',
      '../config.ts',
      '#protocol/task.ts',
      '#adapters/x.ts',
      '@modelcontextprotocol/sdk/client/index.js',
      'nodemailer',
      'zod',
      'node:child_process',
    ],
    forbidden: ['#lambdas/draft/draft.ts', '#local-cloud/start.ts', 'dynalite', 'aws-cdk-lib'],
  },
  'local-cloud': {
    file: 'local-cloud/planted.ts',
    allowed: [
      './start.ts',
      './emulators/ses.ts',
      '#infra/paths.ts',
      '#protocol/task.ts',
      '@aws-sdk/client-s3',
      'dynalite',
      'fauxqs',
      'smtp-server',
      'nodemailer',
      'postal-mime',
      'zod',
      'node:worker_threads',
    ],
    forbidden: [
      '#infra/synth.ts',
      '#infra/build.ts',
      '#lambdas/triage/main.ts',
      '#lambdas/triage/env.ts',
      '#adapters/x.ts',
      '#local-agent/cli.ts',
      '../local-agent/cli.ts',
      'aws-cdk-lib',
      '@middy/core',
    ],
  },
  scripts: {
    file: 'scripts/planted.mjs',
    allowed: ['./tasks.mjs', 'node:fs'],
    forbidden: ['zod', '#protocol/task.ts', '../infra/paths.ts'],
  },
};

describe('the import table', () => {
  it('has an example here for each of its rows', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(TABLE.map(({ zone }) => zone).sort());
  });

  const rows = Object.entries(EXAMPLES).map(([zone, example]) => ({ zone, ...example }));

  it.each(rows)('lets $zone import what it may', async ({ file, allowed }) => {
    const found = await Promise.all(allowed.map((specifier) => complaintsAboutImport(file, specifier)));
    expect(found.flat()).toEqual([]);
  });

  it.each(rows)('keeps $zone from importing anything else', async ({ file, forbidden }) => {
    const found = await Promise.all(
      forbidden.map(async (specifier) => [
        specifier,
        (await complaintsAboutImport(file, specifier)).length > 0,
      ]),
    );
    expect(found).toEqual(forbidden.map((specifier) => [specifier, true]));
  });

  it.each([
    ['export { x } from', "export { x } from '#adapters/x.ts';"],
    ['export * from', "export * from '#adapters/x.ts';"],
    ['import type', "import type { X } from '#adapters/x.ts';\nexport type Y = X;"],
    ['an import for its side effects', "import '#adapters/x.ts';"],
    ['import()', "export const x = import('#adapters/x.ts');"],
    ['import() of a template', 'export const x = import(`#adapters/x.ts`);'],
    ["import('x').T", "export type X = import('#adapters/x.ts').X;"],
    ['import x = require()', "import x = require('#adapters/x.ts');\nexport default x;"],
    ['require()', "export const x: unknown = require('#adapters/x.ts');"],
    ['a computed import()', "const name = '#adapters' + '/x.ts';\nexport const x = import(name);"],
  ])('sees %s', async (_name, code) => {
    expect(await complaints('protocol/planted.ts', code)).toHaveLength(1);
  });

  it('names the proper way for a path into another folder, in tests as well', async () => {
    expect(await complaintsAboutImport('test/protocol/planted.test.ts', '../../protocol/task.ts')).toEqual([
      expect.stringContaining('Write "#protocol/task.ts"'),
    ]);
  });

  it('lets tests and benchmarks import anything', async () => {
    for (const file of ['test/flow/planted.test.ts', 'bench/planted.ts']) {
      for (const specifier of ['#adapters/x.ts', '#local-agent/mcp/host.ts', 'dynalite', 'node:fs']) {
        expect(await complaintsAboutImport(file, specifier)).toEqual([]);
      }
    }
  });
});
