import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { createApp } from '#infra/app.ts';
import { bundle, bundleEntries } from '#infra/build.ts';
import { repositoryDir } from '#infra/paths.ts';

// The CDK app as the benchmark `synth` runs it: with bundles that are made anew (`bundled`), or the same stacks with
// a line of code inside the template (`inline`).
const [kind] = process.argv.slice(2);
const outDir = process.env['CDK_OUTDIR'];
if ((kind !== 'bundled' && kind !== 'inline') || outDir === undefined) {
  throw new Error('this is run by the CDK command line, with bundled or inline');
}
const folder = await mkdtemp(path.join(tmpdir(), 'bench-synth-app-'));
try {
  if (kind === 'bundled') await bundle(bundleEntries, repositoryDir, folder);
  else Code.fromAsset = () => Code.fromInline('exports.handler = async () => 0;') as never;
  createApp({ bundlesDir: folder, outDir }).app.synth();
} finally {
  await rm(folder, { recursive: true, force: true });
}
