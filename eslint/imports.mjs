import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';

/** @type {{ imports: Record<string, string> }} */
const { imports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** `#protocol/*` → `./protocol/*`, as prefixes. */
const ALIASES = Object.entries(imports).map(([from, to]) => ({
  prefix: from.replace(/\*$/, ''),
  folder: path.posix.normalize(to.replace(/\*$/, '')),
}));

/**
 * What an import leads to: a file of the repository (path relative to it, with slashes), or a package or built-in
 * by name (`zod`, `@aws-sdk/client-s3`, `node:fs`; subpaths of packages are cut off).
 *
 * @typedef {{ kind: 'file', path: string, hasAlias: boolean } | { kind: 'package', name: string }} Target
 */

/**
 * @param {string} specifier as written
 * @param {string} from the importing file, relative to the repository
 * @returns {Target}
 */
export function locate(specifier, from) {
  if (specifier.startsWith('.')) return file(path.posix.join(path.posix.dirname(from), specifier));
  const alias = ALIASES.find(({ prefix }) => specifier.startsWith(prefix));
  if (alias !== undefined) return file(alias.folder + specifier.slice(alias.prefix.length));
  if (isBuiltin(specifier)) return { kind: 'package', name: builtin(specifier) };
  const parts = specifier.split('/');
  return { kind: 'package', name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}

/**
 * @param {string} relative
 * @returns {Target}
 */
function file(relative) {
  const normal = path.posix.normalize(relative);
  return { kind: 'file', path: normal, hasAlias: ALIASES.some(({ folder }) => normal.startsWith(folder)) };
}

/** @param {string} specifier */
function builtin(specifier) {
  const name = specifier.replace(/^node:/, '');
  return `node:${name.split('/')[0]}`;
}

/**
 * Visitors that call `found` for each way a module can name another: import, export from, `import()`,
 * `import('x')` as a type, `import x = require()`, `require()` and `require.resolve()`. `specifier` is undefined
 * where it is computed.
 *
 * @param {(found: { node: import('estree').Node, specifier: string | undefined }) => void} found
 * @returns {import('eslint').Rule.RuleListener}
 */
export function importsOf(found) {
  /** @param {{ source?: import('estree').Node | null }} node */
  const declaration = ({ source }) => {
    if (source) found({ node: source, specifier: literal(source) });
  };
  return {
    ImportDeclaration: declaration,
    ExportNamedDeclaration: declaration,
    ExportAllDeclaration: declaration,
    ImportExpression: declaration,
    /** @param {any} node */
    TSImportType: (node) => declaration({ source: node.source ?? node.argument?.literal ?? node.argument }),
    /** @param {any} node */
    TSExternalModuleReference: (node) => declaration({ source: node.expression }),
    CallExpression: (node) => {
      const { callee, arguments: args } = node;
      const name = callee.type === 'MemberExpression' ? callee.object : callee;
      const isRequire = name.type === 'Identifier' && name.name === 'require';
      if (isRequire && args[0] !== undefined) found({ node: args[0], specifier: literal(args[0]) });
    },
  };
}

/**
 * @param {import('estree').Node} node
 * @returns {string | undefined}
 */
function literal(node) {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined;
  if (node.type !== 'TemplateLiteral' || node.expressions.length > 0) return undefined;
  return node.quasis[0]?.value.cooked ?? undefined;
}
