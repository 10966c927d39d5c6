import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import { locate } from '../../eslint/imports.mjs';

/** Files (relative to the root, with slashes) with the files of the same graph that each imports, types included. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** Reads the imports of all TypeScript and JavaScript files in the given folders; others and packages are left out. */
export async function readImportGraph(root: string, folders: readonly string[]): Promise<ImportGraph> {
  const found = new Map<string, string[]>();
  for await (const file of glob(
    folders.map((folder) => `${folder}/**/*.{ts,mjs}`),
    { cwd: root },
  )) {
    const name = file.split(path.sep).join('/');
    const { importedFiles } = ts.preProcessFile(await readFile(path.join(root, file), 'utf8'), true, true);
    const targets = importedFiles.map(({ fileName }) => locate(fileName, name));
    found.set(
      name,
      targets.flatMap((target) => (target.kind === 'file' ? [target.path] : [])),
    );
  }
  const inGraph = [...found]
    .sort()
    .map(([file, targets]) => [file, targets.filter((target) => found.has(target))] as const);
  return new Map(inGraph);
}

/** The first cycle, as the way round it with its start repeated at the end; undefined if there is none. */
export function findCycle(graph: ImportGraph): string[] | undefined {
  const finished = new Set<string>();
  const way: string[] = [];

  function visit(file: string): string[] | undefined {
    const at = way.indexOf(file);
    if (at !== -1) return [...way.slice(at), file];
    if (finished.has(file)) return undefined;
    way.push(file);
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle !== undefined) return cycle;
    }
    way.pop();
    finished.add(file);
    return undefined;
  }

  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
