import { foldName } from '#protocol/vault-path.ts';
import { openFolder } from './folder.ts';
import type { Root } from './folder.ts';

/**
 * Where case does not count, `Journal/a.md` and `journal/a.md` are one place already, and only the folder's
 * own name can follow the ledger. Elsewhere nothing is done.
 */
export async function renameFolders(root: Root, from: string, to: string): Promise<void> {
  const [old, wanted] = [from.split('/').slice(0, -1), to.split('/').slice(0, -1)];
  for (const [index, part] of old.entries()) {
    const name = wanted[index];
    if (name === undefined || foldName(name) !== foldName(part)) return;
    if (name !== part) await renameFolder(root, wanted.slice(0, index), part, name);
  }
}

async function renameFolder(root: Root, above: readonly string[], old: string, name: string): Promise<void> {
  const { disk } = root;
  const folder = await openFolder(root, above);
  if (!folder) return;
  try {
    const [here, there] = [disk.lstat(folder.at(old)), disk.lstat(folder.at(name))];
    if (!here?.isDirectory() || here.ino !== there?.ino || here.dev !== there.dev) return;
    disk.rename(folder.at(old), folder.at(name));
    await folder.sync();
  } finally {
    folder.close();
  }
}
