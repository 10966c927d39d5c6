import path from 'node:path';
import { importsOf, locate } from './imports.mjs';

/**
 * What a folder may import, as data. `may` names
 * - other zones (a row's `zone`), and `self` for the zone's own files in the same folder,
 * - packages, `@scope/*` for a whole scope; a package includes its subpaths,
 * - `node:*` for every built-in module, `node:crypto` for one.
 *
 * The first row whose `files` match a path is its zone. Files without a row (tests, benchmarks, configuration) may
 * import anything. `computed` allows `import(variable)`, which no table can judge.
 *
 * @typedef {{ zone: string, files: RegExp, may: readonly string[], computed?: boolean }} Row
 * @type {readonly Row[]}
 */
export const TABLE = [
  {
    zone: 'protocol',
    files: /^protocol\//,
    may: ['self', 'zod', 'node:crypto', 'yaml', 'canonicalize', 'node-diff3'],
  },
  {
    zone: 'adapters',
    files: /^adapters\//,
    may: ['self', 'protocol', '@aws-sdk/*', '@smithy/*', 'postal-mime', 'node:*'],
  },
  {
    zone: 'lambdas/runtime',
    files: /^lambdas\/runtime\//,
    may: ['self', 'protocol', 'zod', '@middy/*', '@aws-lambda-powertools/*'],
  },
  {
    zone: 'lambdas/env',
    files: /^lambdas\/[^/]+\/env\.ts$/,
    may: ['protocol', 'zod'],
  },
  {
    zone: 'lambdas/handler',
    files: /^lambdas\/[^/]+\/handler\.ts$/,
    may: [
      'lambdas/stage',
      'lambdas/env',
      'lambdas/runtime',
      'protocol',
      'zod',
      '@middy/*',
      '@aws-lambda-powertools/*',
    ],
  },
  {
    zone: 'lambdas/main',
    files: /^lambdas\/[^/]+\/main\.ts$/,
    may: [
      'lambdas/handler',
      'lambdas/stage',
      'lambdas/env',
      'lambdas/runtime',
      'adapters',
      'protocol',
      'zod',
      '@middy/*',
      '@aws-lambda-powertools/*',
    ],
  },
  {
    zone: 'lambdas/stage',
    files: /^lambdas\/[^/]+\//,
    may: ['self', 'protocol'],
  },
  {
    zone: 'infra/paths',
    files: /^infra\/paths\.ts$/,
    may: ['node:*'],
  },
  {
    zone: 'infra',
    files: /^infra\//,
    may: [
      'self',
      'infra/paths',
      'lambdas/env',
      'protocol',
      'aws-cdk-lib',
      'constructs',
      'cdk-nag',
      'esbuild',
      'zod',
      'node:*',
    ],
  },
  {
    zone: 'local-agent/mcp',
    files: /^local-agent\/mcp\//,
    may: [
      'self',
      'local-agent',
      'protocol',
      'adapters',
      '@modelcontextprotocol/sdk',
      'nodemailer',
      'commander',
      'yaml',
      'zod',
      'hono',
      '@hono/*',
      'node:*',
    ],
  },
  {
    zone: 'local-agent',
    files: /^local-agent\//,
    may: [
      'self',
      'local-agent/mcp',
      'protocol',
      'adapters',
      'commander',
      'yaml',
      'zod',
      'hono',
      '@hono/*',
      'node:*',
    ],
  },
  {
    zone: 'local-cloud',
    files: /^local-cloud\//,
    may: [
      'self',
      'infra/paths',
      'protocol',
      '@aws-sdk/*',
      'dynalite',
      'fauxqs',
      'smtp-server',
      'nodemailer',
      'postal-mime',
      'zod',
      'node:*',
    ],
    computed: true,
  },
  {
    // Runs before anything is installed.
    zone: 'scripts',
    files: /^(scripts|bin)\//,
    may: ['self', 'scripts', 'node:*'],
  },
];

/** Each function is alone: what belongs to two of them is in lambdas/runtime or in protocol. */
const OF_ONE_FUNCTION = ['lambdas/stage', 'lambdas/env', 'lambdas/handler', 'lambdas/main'];

/**
 * Reports imports that the table does not allow, and relative paths from one top-level folder into another (those
 * go through the `imports` of package.json).
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const importTable = {
  meta: {
    type: 'problem',
    docs: { description: 'a folder imports only what the table of eslint/import-table.mjs allows it' },
    schema: [],
    messages: {
      forbidden: '{{from}} may not import {{target}}. Allowed here: {{allowed}}.',
      otherFunction:
        '{{from}} may not import the function in {{target}}: share by lambdas/runtime or protocol.',
      relative:
        'Write "{{proper}}": a path from one top-level folder into another goes through package.json.',
      computed: 'An import in {{from}} has to be written out, so that it can be checked.',
    },
  },
  create(context) {
    const file = path.relative(context.cwd, context.filename).split(path.sep).join('/');
    const row = rowOf(file);
    return importsOf(({ node, specifier }) => {
      if (specifier === undefined) {
        if (row !== undefined && row.computed !== true) {
          context.report({ node, messageId: 'computed', data: { from: row.zone } });
        }
        return;
      }
      const target = locate(specifier, file);
      if (target.kind === 'file' && specifier.startsWith('.') && topFolder(target.path) !== topFolder(file)) {
        const proper = `#${target.path}`;
        if (target.hasAlias) context.report({ node, messageId: 'relative', data: { proper } });
      }
      if (row === undefined) return;
      const verdict = judge(row, file, target);
      if (verdict === undefined) return;
      const data = { from: row.zone, target: verdict.target, allowed: row.may.join(', ') };
      context.report({ node, messageId: verdict.messageId, data });
    });
  },
};

/** @param {string} file relative to the repository, with slashes */
function rowOf(file) {
  return TABLE.find(({ files }) => files.test(file));
}

/**
 * @param {Row} row
 * @param {string} file
 * @param {import('./imports.mjs').Target} target
 * @returns {{ messageId: string, target: string } | undefined} what is wrong, if anything
 */
function judge(row, file, target) {
  if (target.kind === 'package') {
    return mayUse(row, target.name) ? undefined : { messageId: 'forbidden', target: target.name };
  }
  const zone = rowOf(target.path)?.zone;
  const sameFolder = path.posix.dirname(target.path) === path.posix.dirname(file);
  const shown =
    zone === undefined || zone === topFolder(target.path) ? target.path : `${zone} (${target.path})`;
  const forbidden = { messageId: 'forbidden', target: shown };
  if (zone === undefined) return forbidden;
  if (OF_ONE_FUNCTION.includes(zone) && OF_ONE_FUNCTION.includes(row.zone) && !sameFolder) {
    return { messageId: 'otherFunction', target: path.posix.dirname(target.path) };
  }
  return row.may.includes(zone === row.zone ? 'self' : zone) ? undefined : forbidden;
}

/**
 * @param {Row} row
 * @param {string} name of a package, or of a built-in with `node:`
 */
function mayUse(row, name) {
  const scope = name.startsWith('node:') ? 'node:*' : name.replace(/\/.*$/, '/*');
  return row.may.includes(name) || row.may.includes(scope);
}

/** @param {string} file */
function topFolder(file) {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
}
