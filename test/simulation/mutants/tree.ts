import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repositoryDir } from '#infra/paths.ts';
import type { Mutant } from './mutants.ts';

/** All that the simulator runs on. */
const PARTS = [
  'protocol',
  'adapters',
  'lambdas',
  'local-agent',
  'infra',
  'test',
  'package.json',
  'tsconfig.json',
];

/** A copy of the sources in which one mutant after the other is planted. */
export interface Tree {
  readonly dir: string;
  /** Plants it, and answers how to take it out again. @throws when its text is not there exactly once. */
  plant(mutant: Mutant): Promise<() => Promise<void>>;
  dispose(): Promise<void>;
}

/** Copies the sources to a temporary folder. */
export async function createTree(): Promise<Tree> {
  const dir = await mkdtemp(path.join(tmpdir(), 'employee-mutants-'));
  await Promise.all(
    PARTS.map((part) => cp(path.join(repositoryDir, part), path.join(dir, part), { recursive: true })),
  );
  await symlink(path.join(repositoryDir, 'node_modules'), path.join(dir, 'node_modules'));
  return {
    dir,
    async plant({ edits }) {
      const before = new Map<string, string>();
      for (const { file, find, replace } of edits) {
        const text = await readFile(path.join(dir, file), 'utf8');
        if (!before.has(file)) before.set(file, text);
        if (text.split(find).length !== 2)
          throw new Error(`${file} does not hold this exactly once: ${find}`);
        await writeFile(
          path.join(dir, file),
          text.replace(find, () => replace),
        );
      }
      return async () => {
        for (const [file, text] of before) await writeFile(path.join(dir, file), text);
      };
    },
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
}
