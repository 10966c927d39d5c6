import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AccessStack } from './access-stack.ts';
import { BundleError, ensureBundles } from './build.ts';
import { InvalidSettingsError, parseSettings, type Settings } from './config.ts';
import { MailStack } from './mail-stack.ts';
import { acknowledgeFindings } from './nag-acknowledgements.ts';
import { deploymentNames } from './names.ts';
import { OperationsStack } from './operations-stack.ts';
import { outputPaths } from './paths.ts';
import { PipelineStack } from './pipeline-stack.ts';
import { StorageStack } from './storage-stack.ts';

/** How to put the app together. */
export interface AppOptions {
  /** Folder with one bundle folder a function; it has to exist. */
  readonly bundlesDir: string;
  /** Folder for the cloud assembly. Default: what the CDK command line asks for. */
  readonly outDir?: string;
  /** CDK context on top of what the CDK command line hands over. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Whether the reviewed findings of cdk-nag are acknowledged. Default true; a test turns it off to see them. */
  readonly acknowledge?: boolean;
}

/**
 * Puts all stacks of one deployment together. `synth()` on the result fails on any finding of cdk-nag or of CDK's own
 * template rules that is not acknowledged.
 *
 * @throws InvalidSettingsError when the context holds settings that cannot be used
 */
export function createApp(options: AppOptions): { readonly app: App; readonly settings: Settings } {
  const app = new App({
    ...(options.outDir !== undefined && { outdir: options.outDir }),
    // The command line switches this one on too; the local cloud finds each function's code by it.
    context: { ...options.context, 'aws:cdk:enable-asset-metadata': true },
    analyticsReporting: false,
    stackTraces: false,
    treeMetadata: false,
  });
  const settings = parseSettings(app.node.getAllContext() as Record<string, unknown>);
  const { prefix } = deploymentNames(settings);
  const tags = { project: 'ai-employee', stage: settings.stage, zone: 'cloud' };
  const common = { tags, terminationProtection: settings.stage === 'prod' };

  const storage = new StorageStack(app, `${prefix}-storage`, settings, {
    ...common,
    description: 'AI Employee: raw mail, vault blobs, tasks, ledger, archive and the keys of the cloud zone',
  });
  const mail = new MailStack(app, `${prefix}-mail`, settings, storage, {
    ...common,
    description: 'AI Employee: receipt rule, the queue of incoming mail, and who mail goes out as',
  });
  const pipeline = new PipelineStack(app, `${prefix}-pipeline`, settings, {
    ...common,
    description: 'AI Employee: triage and drafting, which can read and write drafts and cannot send',
    storage,
    mail,
    bundlesDir: options.bundlesDir,
  });
  new OperationsStack(app, `${prefix}-operations`, settings, {
    ...common,
    description: 'AI Employee: record of access, reputation alarms, budget and backups',
    storage,
    pipeline,
  });
  new AccessStack(app, `${prefix}-access`, settings, {
    ...common,
    description: 'AI Employee: the role of the agent on the machine of the owner',
    storage,
  });

  for (const [name, value] of Object.entries(tags)) Tags.of(app).add(name, value);
  if (options.acknowledge ?? true) acknowledgeFindings(app, settings);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, settings };
}

// `npx cdk synth` and `cdk deploy` start here, as cdk.json says.
if (import.meta.main) {
  try {
    const outDir = process.env['CDK_OUTDIR'] ?? outputPaths.assemblyDir;
    await ensureBundles();
    // What is written here may have other settings than the repository's, so it is no longer what the stamp says.
    await rm(join(outDir, 'stamp'), { force: true });
    createApp({ bundlesDir: outputPaths.bundlesDir, outDir }).app.synth();
  } catch (error) {
    if (!(error instanceof BundleError || error instanceof InvalidSettingsError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
