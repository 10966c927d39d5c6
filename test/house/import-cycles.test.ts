import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCycle, readImportGraph } from './import-graph.ts';

const FOLDERS = [
  'protocol',
  'adapters',
  'lambdas',
  'infra',
  'local-agent',
  'local-cloud',
  'bench',
  'scripts',
  'eslint',
];
const root = path.resolve(import.meta.dirname, '../..');

describe('the import graph', () => {
  it('has no cycle', async () => {
    const graph = await readImportGraph(root, FOLDERS);
    expect(graph.size).toBeGreaterThan(10);
    expect(findCycle(graph)).toBeUndefined();
  });

  it('follows both kinds of path', async () => {
    const graph = await readImportGraph(root, ['eslint', 'protocol']);
    expect(graph.get('eslint/import-table.mjs')).toEqual(['eslint/imports.mjs']);
    expect([...graph.values()].flat().every((file) => graph.has(file))).toBe(true);
  });
});

describe('a planted cycle', () => {
  let planted: string;

  beforeEach(async () => {
    planted = await mkdtemp(path.join(tmpdir(), 'import-cycle-'));
    await mkdir(path.join(planted, 'protocol'));
    await mkdir(path.join(planted, 'adapters'));
  });

  afterEach(() => rm(planted, { recursive: true }));

  async function plant(files: Record<string, string>): Promise<string[] | undefined> {
    for (const [file, code] of Object.entries(files)) await writeFile(path.join(planted, file), code);
    return findCycle(await readImportGraph(planted, ['protocol', 'adapters']));
  }

  it('is found through relative paths and #folder paths, and shown as a way', async () => {
    const cycle = await plant({
      'protocol/a.ts': "import { b } from './b.ts';",
      'protocol/b.ts': "export { c } from '#adapters/c.ts';",
      'adapters/c.ts': "export const a = () => import('#protocol/a.ts');",
      'adapters/innocent.ts': "import { a } from '#protocol/a.ts';",
    });
    expect(cycle).toEqual(['adapters/c.ts', 'protocol/a.ts', 'protocol/b.ts', 'adapters/c.ts']);
  });

  it('is found when a file imports itself', async () => {
    expect(await plant({ 'protocol/a.ts': "import type { A } from './a.ts';" })).toEqual([
      'protocol/a.ts',
      'protocol/a.ts',
    ]);
  });

  it('is not seen in two ways to the same file', async () => {
    const cycle = await plant({
      'protocol/a.ts': "import './b.ts'; import './c.ts';",
      'protocol/b.ts': "import './c.ts';",
      'protocol/c.ts': 'export const c = 1;',
    });
    expect(cycle).toBeUndefined();
  });
});
