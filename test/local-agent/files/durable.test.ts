import { afterEach, describe, expect, it } from 'vitest';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { tappedDisk } from '#test/support/tapped-disk.ts';
import type { Moment } from '#test/support/tapped-disk.ts';
import { FILE_CHANGES, NOTE } from './file-changes.ts';
import type { FileChangeCase } from './file-changes.ts';
import { createVaultFolder } from './vault-folder.ts';
import type { VaultFolder } from './vault-folder.ts';

let vault: VaultFolder | undefined;
afterEach(() => {
  vault?.dispose();
  vault = undefined;
});

/** The calls that change a disk or make a change durable, in their order. */
async function callsOf(test: FileChangeCase | undefined): Promise<string[]> {
  if (!test) throw new Error('arranged badly');
  vault?.dispose();
  vault = createVaultFolder();
  test.arrange(vault);
  const calls: string[] = [];
  const disk = tappedDisk(({ call, when }: Moment) => {
    if (when === 'after' && ['write', 'sync', 'link', 'rename', 'unlink', 'mkdir'].includes(call))
      calls.push(call);
  });
  expect(await test.change(createNodeFiles(vault.root, { disk }))).toBe(test.done);
  return calls;
}

describe('28: what was answered as done outlives a power cut', () => {
  it('a new file: its bytes before its name, its folders before it', async () => {
    expect(await callsOf(FILE_CHANGES[0])).toEqual([
      'mkdir',
      'sync',
      'write',
      'sync',
      'link',
      'sync',
      'unlink',
    ]);
  });

  it('a replaced file: the new one is durable before the old one is given up', async () => {
    const calls = await callsOf(FILE_CHANGES[1]);
    expect(calls.slice(0, -1)).toEqual(['write', 'sync', 'mkdir', 'rename', 'link', 'sync', 'unlink']);
  });

  it('a moved file: the new name before the old one is given up', async () => {
    expect(await callsOf(FILE_CHANGES[2])).toEqual(['mkdir', 'rename', 'link', 'sync', 'unlink', 'sync']);
  });

  it('a removed file: that it is gone', async () => {
    expect(await callsOf(FILE_CHANGES[4])).toEqual(['mkdir', 'rename', 'unlink', 'sync']);
  });

  it('a removed folder: that it is gone', async () => {
    vault = createVaultFolder();
    vault.put(NOTE, 'x');
    const calls: string[] = [];
    const disk = tappedDisk(({ call, when }) => {
      if (when === 'after' && ['rmdir', 'sync'].includes(call)) calls.push(call);
    });
    const files = createNodeFiles(vault.root, { disk });
    await files.remove(NOTE, '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881');
    calls.length = 0;
    expect(await files.removeFolder('Journal')).toBe(true);
    expect(calls).toEqual(['rmdir', 'sync']);
  });
});
