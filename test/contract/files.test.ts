import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import type { NodeFilesOptions } from '#local-agent/files/node-files.ts';
import type { Files } from '#protocol/ports.ts';
import { createMemoryDisk } from '#test/support/memory/memory-disk.ts';
import { createMemoryFiles } from '#test/support/memory/memory-files.ts';
import { describeFilesContract } from './files.contract.ts';
import type { Editor } from './files.contract.ts';
import type { Harness } from './harness.ts';
import { inMemory } from './harness.ts';

async function onDisk(options: NodeFilesOptions): Promise<Harness<Files, Editor>> {
  const root = mkdtempSync(path.join(tmpdir(), 'employee-files-'));
  const at = (vaultPath: string): string => path.join(root, vaultPath);
  return {
    adapter: createNodeFiles(root, options),
    extra: {
      save(vaultPath, text) {
        mkdirSync(path.dirname(at(vaultPath)), { recursive: true });
        writeFileSync(at(vaultPath), text);
      },
      text: (vaultPath) =>
        existsSync(at(vaultPath)) && statSync(at(vaultPath)).isFile()
          ? readFileSync(at(vaultPath), 'utf8')
          : undefined,
    },
    close: async () => rmSync(root, { recursive: true, force: true }),
  };
}

describeFilesContract('a folder, by open folders where the system has them', () => onDisk({}));

describeFilesContract('a folder, by paths', () => onDisk({ descriptors: false }));

describeFilesContract('a folder of a disk in memory', () => {
  const { disk, save, files } = createMemoryDisk('/vault');
  const editor: Editor = {
    save: (vaultPath, text) => save(`/vault/${vaultPath}`, text),
    text: (vaultPath) => files().get(`/vault/${vaultPath}`),
  };
  return inMemory(createNodeFiles('/vault', { disk, descriptors: true }), editor);
});

describeFilesContract('memory', () => {
  const files = createMemoryFiles();
  return inMemory(files, files.person);
});

describeFilesContract('memory that ignores case', () => {
  const files = createMemoryFiles({ ignoreCase: true });
  return inMemory(files, files.person);
});
