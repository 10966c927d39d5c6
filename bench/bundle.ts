import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureBundles } from '#infra/build.ts';
import { outputPaths } from '#infra/paths.ts';
import { buildBaseBundle } from './base-bundle.ts';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';

/** The parser's thread stands beside triage and is judged by itself: it is loaded with the first mail. */
const FILES = [
  { name: 'bundle/triage-kb', file: 'triage/index.mjs', limit: 1.45 },
  { name: 'bundle/draft-kb', file: 'draft/index.mjs', limit: 1.6 },
  { name: 'bundle/mail-parser-worker-kb', file: 'triage/mail-parser-worker.mjs', limit: 0.25 },
] as const;

/** Sizes of the bundles that deploy. An exact count: nothing is repeated. */
export const bundle: Benchmark = {
  name: 'bundle',
  about: 'size of the bundles, beside one of the three SDK clients alone',
  async *run() {
    const folder = await mkdtemp(path.join(tmpdir(), 'bench-bundle-'));
    try {
      await ensureBundles();
      const base = await buildBaseBundle(path.join(folder, 'base.mjs'));
      for (const { name, file, limit } of FILES) {
        const { size } = await stat(path.join(outputPaths.bundlesDir, file));
        const measured = { value: size / 1000, anchor: base.sizeBytes / 1000 };
        yield figureOf(name, measured, { of: 'ratio', is: '<=', limit });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
