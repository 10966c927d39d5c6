import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OWN_PREFIX } from '#local-agent/files/aside.ts';
import { createNodeFiles } from '#local-agent/files/node-files.ts';

/** A temp vault for tests of its files. */
export interface VaultFolder {
  readonly root: string;
  at(vaultPath: string): string;
  put(vaultPath: string, text: string): void;
  /** The texts of all files that a sync sees, by path, after a process has begun anew. */
  texts(): Promise<Map<string, string>>;
  /** What of ours is still about. */
  leftovers(): string[];
  dispose(): void;
}

/** Makes an empty one. */
export function createVaultFolder(root = mkdtempSync(path.join(tmpdir(), 'employee-files-'))): VaultFolder {
  const at = (vaultPath: string): string => path.join(root, vaultPath);
  return {
    root,
    at,
    put(vaultPath, text) {
      mkdirSync(path.dirname(at(vaultPath)), { recursive: true });
      writeFileSync(at(vaultPath), text);
    },
    async texts() {
      const list = await createNodeFiles(root).list();
      const found = list.filter(({ kind }) => kind === 'file').map((stat) => stat.path);
      return new Map(found.map((each) => [each, readFileSync(at(each), 'utf8')]));
    },
    leftovers: () =>
      readdirSync(root, { recursive: true })
        .map(String)
        .filter((each) => each.includes(OWN_PREFIX)),
    dispose: () => rmSync(root, { recursive: true, force: true }),
  };
}
