import { join } from 'node:path';

/** Folder of the repository, absolute. */
export const repositoryDir = join(import.meta.dirname, '..');

/**
 * Where the build leaves its results: the bundles of all functions (one folder a function, `index.mjs` in each)
 * and the synthesized cloud assembly (templates, asset folders, manifest).
 */
export const outputPaths = {
  distDir: join(repositoryDir, 'dist'),
  bundlesDir: join(repositoryDir, 'dist', 'lambdas'),
  metafile: join(repositoryDir, 'dist', 'meta.json'),
  assemblyDir: join(repositoryDir, 'cdk.out'),
  /** Scratch space of the build, on the same file system as its results so that they can be renamed into place. */
  cacheDir: join(repositoryDir, 'node_modules', '.cache', 'ai-employee'),
} as const;

/** Names of the functions: folder under `lambdas/`, folder under `dist/lambdas/`. */
export const functionNames = ['triage', 'draft', 'rotate', 'archive'] as const;

export type FunctionName = (typeof functionNames)[number];
