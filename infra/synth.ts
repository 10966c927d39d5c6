import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BundleError, ensureBundles, hasStamp, writeStamp } from './build.ts';
import { fingerprint, replaceFolder, withBuildLock } from './build-cache.ts';
import { InvalidSettingsError } from './config.ts';
import { outputPaths, repositoryDir } from './paths.ts';

/** The templates cannot be made, or break a rule, in which case CDK has listed each finding on stderr. */
export class SynthesisError extends Error {
  static readonly code = 'SYNTHESIS_FAILED';
  readonly code = SynthesisError.code;

  constructor(cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // CDK has printed its findings by now; the report it points to goes away with the failed attempt.
    super(message.replace(/ A copy of this report can be found in: \S+$/, ''), { cause });
    this.name = 'SynthesisError';
  }
}

/** Where the results of the build are. */
export interface Assembly {
  /** Cloud assembly: `manifest.json`, a template a stack, an `asset.*` folder a function. */
  readonly assemblyDir: string;
  /** One folder a function, with `index.mjs` in it; the assembly's asset folders are copies of these. */
  readonly bundlesDir: string;
}

/**
 * Makes bundles and cloud assembly with the settings of the repository, unless nothing they are made of has changed
 * (some ten milliseconds then). May be called by any number of processes at once; one of them does the work.
 *
 * @throws BundleError when a function does not bundle
 * @throws InvalidSettingsError when the settings in `cdk.context.json` cannot be used
 * @throws SynthesisError when the templates break a rule
 */
export async function ensureAssembly(): Promise<Assembly> {
  await refresh();
  return { assemblyDir: outputPaths.assemblyDir, bundlesDir: outputPaths.bundlesDir };
}

/**
 * Synthesizes into `outDir`, in this process and without the network, with the context of the repository and `context`
 * on top of it.
 *
 * @throws InvalidSettingsError
 * @throws SynthesisError when the templates break a rule
 */
export async function synthesize(options: {
  readonly bundlesDir: string;
  readonly outDir: string;
  readonly context?: Readonly<Record<string, unknown>>;
}): Promise<void> {
  const context = { ...(await repositoryContext()), ...options.context };
  // CDK takes a third of a second to load, which a build with nothing to do should not pay for.
  const { createApp } = await import('./app.ts');
  try {
    createApp({ bundlesDir: options.bundlesDir, outDir: options.outDir, context }).app.synth();
  } catch (cause) {
    if (cause instanceof InvalidSettingsError) throw cause;
    throw new SynthesisError(cause);
  }
}

/** The context that the CDK command line would hand over: `cdk.json`, then `cdk.context.json`. */
export async function repositoryContext(): Promise<Record<string, unknown>> {
  const [{ context }, own] = await Promise.all([json('cdk.json'), json('cdk.context.json')]);
  return { ...(context as Record<string, unknown>), ...own };
}

async function refresh(): Promise<{ readonly built: boolean; readonly synthesized: boolean }> {
  const { built, digest: bundlesDigest } = await ensureBundles();
  if (await hasStamp(outputPaths.assemblyDir, await assemblyDigest(bundlesDigest))) {
    return { built, synthesized: false };
  }
  return withBuildLock(async () => {
    const current = await assemblyDigest(bundlesDigest);
    if (await hasStamp(outputPaths.assemblyDir, current)) return { built, synthesized: false };
    await replaceFolder(outputPaths.assemblyDir, async (folder) => {
      await synthesize({ bundlesDir: outputPaths.bundlesDir, outDir: folder });
      await writeStamp(folder, current);
    });
    return { built, synthesized: true };
  });
}

function assemblyDigest(bundlesDigest: string): Promise<string> {
  return fingerprint(['infra', 'cdk.json', 'cdk.context.json', 'package-lock.json'], bundlesDigest);
}

async function json(file: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(repositoryDir, file), 'utf8')) as Record<string, unknown>;
}

if (import.meta.main) {
  const startedMs = performance.now();
  try {
    const { built, synthesized } = await refresh();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(
      `bundles ${built ? 'built' : 'unchanged'}, assembly ${synthesized ? 'synthesized' : 'unchanged'} in ${seconds} s: ${outputPaths.assemblyDir}`,
    );
  } catch (error) {
    const expected = [BundleError, InvalidSettingsError, SynthesisError].some(
      (kind) => error instanceof kind,
    );
    if (!(expected && error instanceof Error)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
