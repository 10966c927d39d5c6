import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { fingerprint, replaceFolder, withBuildLock } from './build-cache.ts';
import { leanPlugins } from './lean-bundles.ts';
import { outputPaths, repositoryDir } from './paths.ts';

/** What each bundle is made of: path below `dist/lambdas`, without its extension, to source file. */
export const bundleEntries: Readonly<Record<string, string>> = {
  'triage/index': 'lambdas/triage/main.ts',
  // A thread of its own that triage starts, so that a mail which hangs the parser can be killed.
  'triage/mail-parser-worker': 'adapters/mail-parser-worker.ts',
  'draft/index': 'lambdas/draft/main.ts',
  'rotate/index': 'lambdas/rotate/main.ts',
  'archive/index': 'lambdas/archive/main.ts',
};

/** How every bundle is made. CommonJS packages inside an ES module still ask for `require`, hence the banner. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  legalComments: 'none',
  mainFields: ['module', 'main'],
  outExtension: { '.js': '.mjs' },
  banner: { js: 'import{createRequire as __cr}from"node:module";const require=__cr(import.meta.url);' },
  // Word lists in many scripts, as they are rather than as escapes.
  charset: 'utf8',
  logLevel: 'silent',
} satisfies BuildOptions;

/** Packages that must never reach a function: unsafe on hostile mail, or too heavy for what they do. */
const forbiddenPackages = [
  /^mailparser$/,
  /^gray-matter$/,
  /^ai$/,
  // The AWS Encryption SDK; the SDK clients' own hash packages share its scope.
  /^@aws-crypto\/(client|encrypt|decrypt|material-management|kms-keyring|raw-|caching-|cache-|serialize)/,
];

/** The bundles cannot be made: a source is missing, does not compile, or draws in a forbidden package. */
export class BundleError extends Error {
  static readonly code = 'BUNDLE_FAILED';
  readonly code = BundleError.code;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BundleError';
  }
}

/**
 * Makes the bundles of all functions, by one call of esbuild, unless nothing they are made of has changed.
 *
 * @returns whether they were made, and the digest of what they are made of
 * @throws BundleError
 */
export async function ensureBundles(): Promise<{ readonly built: boolean; readonly digest: string }> {
  const digest = await bundlesDigest();
  if (await hasStamp(outputPaths.distDir, digest)) return { built: false, digest };
  return withBuildLock(async () => {
    const current = await bundlesDigest();
    if (await hasStamp(outputPaths.distDir, current)) return { built: false, digest: current };
    await replaceFolder(outputPaths.distDir, async (folder) => {
      const metafile = await bundle(bundleEntries, repositoryDir, join(folder, 'lambdas'));
      await writeFile(join(folder, 'meta.json'), JSON.stringify(metafile));
      await writeStamp(folder, current);
    });
    return { built: true, digest: current };
  });
}

/**
 * Bundles `entries` from `sourceDir` into `outDir` and checks what went in.
 *
 * @returns what went into each output; outputs are named relative to `outDir`
 * @throws BundleError
 */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  sourceDir: string,
  outDir: string,
): Promise<Metafile> {
  for (const source of Object.values(entries)) {
    await access(join(sourceDir, source)).catch((cause: unknown) => {
      throw new BundleError(`A function cannot be bundled: ${source} does not exist.`, { cause });
    });
  }
  await mkdir(outDir, { recursive: true });
  const result = await build({
    ...bundleOptions,
    plugins: [...leanPlugins],
    entryPoints: { ...entries },
    absWorkingDir: sourceDir,
    outdir: outDir,
    metafile: true,
  }).catch((cause: unknown) => {
    throw new BundleError(`The functions cannot be bundled:\n${describe(cause)}`, { cause });
  });
  const outputs = Object.entries(result.metafile.outputs).map(
    ([path, output]) => [relative(outDir, resolve(sourceDir, path)), output] as const,
  );
  const metafile = { ...result.metafile, outputs: Object.fromEntries(outputs) };
  refuseForbidden(metafile);
  return metafile;
}

/** Whether `folder` is complete and was made from what `digest` stands for. */
export async function hasStamp(folder: string, digest: string): Promise<boolean> {
  return (await readFile(join(folder, 'stamp'), 'utf8').catch(() => undefined)) === digest;
}

/** Marks `folder` as complete and made from what `digest` stands for. */
export async function writeStamp(folder: string, digest: string): Promise<void> {
  await writeFile(join(folder, 'stamp'), digest);
}

function bundlesDigest(): Promise<string> {
  return fingerprint([
    'lambdas',
    'adapters',
    'protocol',
    'infra/build.ts',
    'infra/lean-bundles.ts',
    'package-lock.json',
    'package.json',
  ]);
}

function refuseForbidden(metafile: Metafile): void {
  for (const [output, { inputs }] of Object.entries(metafile.outputs)) {
    for (const input of Object.keys(inputs)) {
      const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
      if (name !== undefined && forbiddenPackages.some((pattern) => pattern.test(name))) {
        throw new BundleError(`${output} draws in ${name} (${input}), which no function may carry.`);
      }
    }
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

if (import.meta.main) {
  const startedMs = performance.now();
  try {
    const { built } = await ensureBundles();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(`bundles ${built ? 'built' : 'unchanged'} in ${seconds} s: ${outputPaths.bundlesDir}`);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
