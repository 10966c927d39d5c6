import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ensureBundles } from '#infra/build.ts';
import { repositoryDir } from '#infra/paths.ts';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import { sideBySide, wallMs } from './measure.ts';

/** What the functions' code adds to `cdk synth`: made anew, and when it is unchanged. */
const KINDS = [
  { name: 'synth/bundles-made-ms', app: 'bench/synth-app.ts bundled' },
  { name: 'synth/bundles-unchanged-ms', app: 'infra/app.ts' },
] as const;

/** The CDK command line over this app, beside the same stacks with inline code. */
export const synth: Benchmark = {
  name: 'synth',
  about: '`cdk synth` as it deploys, beside the same stacks with inline code',
  async *run({ rounds }, log) {
    const folder = await mkdtemp(path.join(tmpdir(), 'bench-synth-'));
    try {
      await ensureBundles();
      const outDir = path.join(folder, 'out');
      for (const { name, app } of KINDS) {
        log(app);
        const measured = await sideBySide(
          rounds,
          () => synthMs(app, outDir),
          () => synthMs('bench/synth-app.ts inline', outDir),
        );
        yield figureOf(name, measured, { of: 'ratio', is: '<=', limit: 1.5 });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function synthMs(app: string, outDir: string): Promise<number> {
  const cdk = path.join(repositoryDir, 'node_modules/aws-cdk/bin/cdk');
  const command = `${process.execPath} ${app}`;
  return wallMs(async () => {
    // Each into a folder that is not there yet, as after `git clone`.
    await rm(outDir, { recursive: true, force: true });
    const args = [cdk, 'synth', '--quiet', '--app', command, '--output', outDir];
    await promisify(execFile)(process.execPath, args, { cwd: repositoryDir });
  });
}
