import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { caseBlindDisk } from '#test/support/case-blind-disk.ts';
import { systemError, tappedDisk } from '#test/support/tapped-disk.ts';
import { createVaultFolder } from './vault-folder.ts';
import type { VaultFolder } from './vault-folder.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

function empty(): VaultFolder {
  const vault = createVaultFolder();
  ends.push(() => vault.dispose());
  return vault;
}

const isCaseSensitive = process.platform === 'linux';

describe('26: names', () => {
  it.runIf(isCaseSensitive)('that differ only in case or in Unicode form are all listed', async () => {
    const vault = empty();
    const names = ['Note.md', 'note.md', 'caf\u00e9.md', 'cafe\u0301.md'];
    for (const name of names) vault.put(name, name);
    expect([...(await vault.texts()).keys()].sort()).toEqual(names.sort());
  });

  it('of 240 bytes go every way, and a name that the disk finds too long is named', async () => {
    const vault = empty();
    const files = createNodeFiles(vault.root);
    const long = `${'ü'.repeat(118)}n.md`;
    expect(Buffer.byteLength(long)).toBe(240);
    expect(await files.write(`Journal/${long}`, Buffer.from('one'), null)).toBe('written');
    expect(await files.write(`Journal/${long}`, Buffer.from('two'), sha256Hex('one'))).toBe('written');
    expect(await files.move(`Journal/${long}`, `Done/${long}`, sha256Hex('two'))).toBe('moved');
    expect(await files.remove(`Done/${long}`, sha256Hex('two'))).toBe('removed');
    const short = tappedDisk(({ call, args }) => {
      if (call === 'link' && Buffer.byteLength(String(args[1])) > 143) throw systemError('ENAMETOOLONG');
    });
    await expect(
      createNodeFiles(vault.root, { disk: short }).write(long, Buffer.from('x'), null),
    ).rejects.toMatchObject({
      code: 'NAME_TOO_LONG',
    });
    expect(vault.leftovers()).toEqual([]);
  });

  it('long ones give way to the words of a copy beside them', async () => {
    const vault = empty();
    const long = `${'n'.repeat(237)}.md`;
    vault.put(long, 'new');
    vault.put(`.~employee-kept-0123456789abcdef-${'0'.repeat(64)}/${long}`, 'old');
    const copies = [...(await vault.texts()).keys()].filter((name) => name !== long);
    expect(copies).toEqual([expect.stringMatching(/^n{200,210} \(saved during a sync [0-9a-f]{8}\)\.md$/)]);
    expect(Buffer.byteLength(copies[0] ?? '')).toBeLessThanOrEqual(240);
  });

  it.runIf(process.platform === 'linux')(
    'that are no UTF-8 are shown with what is wrong, files and folders',
    async () => {
      const vault = empty();
      const raw = (name: string): Buffer =>
        Buffer.concat([Buffer.from(`${vault.root}/`), Buffer.from(name, 'latin1')]);
      writeFileSync(raw('caf\xe9.md'), 'x');
      mkdirSync(raw('\xff\xfe'));
      vault.put('fine \ufffd.md', 'x');
      const list = await createNodeFiles(vault.root).list();
      expect(list.map(({ path, problem }) => [path, problem]).sort()).toEqual(
        [
          ['caf\ufffd.md', 'its name is not UTF-8; rename it'],
          ['fine \ufffd.md', undefined],
          ['\ufffd\ufffd', 'its name is not UTF-8; rename it'],
        ].sort(),
      );
    },
  );

  it.each([
    ['macOS, Windows', true],
    ['a stick, which knows no links either', false],
  ])('where case does not count (%s): written, renamed in case, replaced, removed', async (_where, links) => {
    const vault = empty();
    const files = createNodeFiles(vault.root, { disk: caseBlindDisk(links), descriptors: false });
    const paths = async (): Promise<string[]> => (await files.list()).map(({ path }) => path);
    expect(await files.write('Journal/note.md', Buffer.from('one'), null)).toBe('written');
    expect(await files.write('Journal/NOTE.md', Buffer.from('two'), null)).toBe('changed');
    expect(await files.move('Journal/note.md', 'journal/Note.md', sha256Hex('one'))).toBe('moved');
    expect(await paths()).toEqual(['journal', 'journal/Note.md']);
    expect(await files.move('journal/Note.md', 'Journal/Note.md', sha256Hex('one'))).toBe('moved');
    expect(await paths()).toEqual(['Journal', 'Journal/Note.md']);
    expect(await files.write('Journal/Note.md', Buffer.from('two'), sha256Hex('one'))).toBe('written');
    vault.put('Journal/other.md', 'three');
    expect(await files.move('Journal/other.md', 'Journal/NOTE.MD', sha256Hex('three'))).toBe('changed');
    expect(await paths()).toEqual(['Journal', 'Journal/Note.md', 'Journal/other.md']);
    expect(await files.remove('Journal/Note.md', sha256Hex('two'))).toBe('removed');
    expect(await files.remove('Journal/other.md', sha256Hex('three'))).toBe('removed');
    expect(await files.removeFolder('Journal')).toBe(true);
    expect(vault.leftovers()).toEqual([]);
  });
});
