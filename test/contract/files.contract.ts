import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '#protocol/canonical.ts';
import type { Files } from '#protocol/ports.ts';
import type { Harness, MakeAdapter } from './harness.ts';

/** What the person does behind our back. */
export interface Editor {
  /** Saves in place, as Obsidian does; folders are made. */
  save(path: string, text: string): void;
  /** The text of a file; `undefined` when there is none. */
  text(path: string): string | undefined;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NOT_INSIDE = [
  '',
  '/etc/passwd',
  '../x.md',
  'a/../b.md',
  'a//b.md',
  'a\0b.md',
  'con.md',
  'a\\b.md',
  'x:y.md',
];

/** What every vault's file system does. */
export function describeFilesContract(name: string, makeAdapter: MakeAdapter<Files, Editor>): void {
  describe(`files: ${name}`, () => {
    let harness: Harness<Files, Editor>;
    let files: Files;
    let editor: Editor;
    beforeEach(async () => {
      harness = await makeAdapter();
      files = harness.adapter;
      editor = harness.extra;
    });
    afterEach(() => harness.close());

    async function paths(): Promise<string[]> {
      return (await files.list()).map(({ path }) => path).sort();
    }

    describe('list', () => {
      it('shows files and folders with what the system says of them, and nothing in an empty vault', async () => {
        expect(await files.list()).toEqual([]);
        editor.save('Journal/2026/a.md', 'four');
        const list = await files.list();
        expect(
          list.map(({ path, kind, sizeBytes }) => [path, kind, kind === 'file' ? sizeBytes : 0]).sort(),
        ).toEqual([
          ['Journal', 'folder', 0],
          ['Journal/2026', 'folder', 0],
          ['Journal/2026/a.md', 'file', 4],
        ]);
        expect(await files.stat('Journal/2026/a.md')).toMatchObject(
          omitSettled(list.find(({ kind }) => kind === 'file')),
        );
      });

      it('shows no name that begins with a dot', async () => {
        editor.save('.obsidian/app.json', '{}');
        editor.save('.hidden.md', 'x');
        editor.save('seen.md', 'x');
        expect(await paths()).toEqual(['seen.md']);
      });

      it('knows a file again after a move and an edit, and tells a new one of its name from it', async () => {
        editor.save('a.md', 'one');
        const id = (await files.stat('a.md'))?.fileId;
        expect(id).not.toBe('');
        editor.save('a.md', 'two');
        await files.move('a.md', 'b.md', sha256Hex('two'));
        expect((await files.stat('b.md'))?.fileId).toBe(id);
        await files.remove('b.md', sha256Hex('two'));
        editor.save('b.md', 'three');
        expect((await files.stat('b.md'))?.fileId).not.toBe(id);
      });

      it('shows that a file was changed even where its size is the same', async () => {
        editor.save('a.md', 'one');
        const before = (await files.stat('a.md'))?.changedMs ?? 0;
        // As soon as the clock has moved on.
        await vi.waitFor(async () => {
          editor.save('a.md', 'two');
          expect((await files.stat('a.md'))?.changedMs).toBeGreaterThan(before);
        });
      });
    });

    describe('read', () => {
      it.each([
        ['no byte', Buffer.alloc(0)],
        ['every byte there is', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
        ['three megabytes', Buffer.alloc(3_000_000, 'note ')],
      ])('gives back what was written: %s', async (_what, content) => {
        expect(await files.write('Journal/a.bin', content, null)).toBe('written');
        expect(Buffer.from((await files.read('Journal/a.bin')) ?? []).equals(content)).toBe(true);
      });

      it('finds no file where there is none, or a folder, or a file above it', async () => {
        editor.save('a.md', 'x');
        editor.save('Folder/b.md', 'x');
        for (const path of ['c.md', 'Folder', 'a.md/b.md', 'None/c.md']) {
          expect(await files.read(path), path).toBeUndefined();
        }
        expect(await files.stat('c.md')).toBeUndefined();
        expect(await files.stat('a.md/b.md')).toBeUndefined();
      });
    });

    describe('write', () => {
      it('replaces what was expected and nothing else', async () => {
        expect(await files.write('a.md', bytes('one'), null)).toBe('written');
        expect(await files.write('a.md', bytes('two'), null)).toBe('changed');
        expect(await files.write('a.md', bytes('two'), sha256Hex('zero'))).toBe('changed');
        expect(editor.text('a.md')).toBe('one');
        expect(await files.write('a.md', bytes('two'), sha256Hex('one'))).toBe('written');
        expect(editor.text('a.md')).toBe('two');
        expect(await files.write('none.md', bytes('two'), sha256Hex('one'))).toBe('changed');
        expect(await paths()).toEqual(['a.md']);
      });

      it('makes the folders it needs, and takes no place of a folder or below a file', async () => {
        expect(await files.write('A/B/c.md', bytes('x'), null)).toBe('written');
        expect(await files.write('A/B', bytes('x'), null)).toBe('changed');
        expect(await files.write('A/B/c.md/d.md', bytes('x'), null)).toBe('changed');
        expect(await paths()).toEqual(['A', 'A/B', 'A/B/c.md']);
      });

      it('of two at the same time lets one win', async () => {
        const both = (expected: string | null): Promise<string[]> =>
          Promise.all(['one', 'two'].map((text) => files.write('a.md', bytes(text), expected)));
        expect((await both(null)).sort()).toEqual(['changed', 'written']);
        const now = editor.text('a.md') ?? '';
        const next = await Promise.all(
          ['three', 'four'].map((text) => files.write('a.md', bytes(text), sha256Hex(now))),
        );
        expect(next.filter((answer) => answer === 'written')).toHaveLength(1);
        expect(['three', 'four']).toContain(editor.text('a.md'));
        expect(await paths()).toEqual(['a.md']);
      });
    });

    describe('move', () => {
      it('gives a file another name, in another folder as well', async () => {
        editor.save('a.md', 'one');
        expect(await files.move('a.md', 'Done/b.md', sha256Hex('one'))).toBe('moved');
        expect([editor.text('a.md'), editor.text('Done/b.md')]).toEqual([undefined, 'one']);
      });

      it('leaves both alone where the target is taken or the file is another', async () => {
        editor.save('a.md', 'one');
        editor.save('b.md', 'two');
        expect(await files.move('a.md', 'b.md', sha256Hex('one'))).toBe('changed');
        expect(await files.move('a.md', 'c.md', sha256Hex('two'))).toBe('changed');
        expect(await files.move('none.md', 'c.md', sha256Hex('two'))).toBe('changed');
        expect(await files.move('a.md', 'b.md/c.md', sha256Hex('one'))).toBe('changed');
        expect([editor.text('a.md'), editor.text('b.md')]).toEqual(['one', 'two']);
        expect(await paths()).toEqual(['a.md', 'b.md']);
      });

      it('to its own name changes nothing', async () => {
        editor.save('a.md', 'one');
        await files.move('a.md', 'a.md', sha256Hex('one'));
        expect(editor.text('a.md')).toBe('one');
        expect(await paths()).toEqual(['a.md']);
      });

      it('makes a rename that only changes case', async () => {
        editor.save('Readme.md', 'one');
        expect(await files.move('Readme.md', 'README.md', sha256Hex('one'))).toBe('moved');
        expect(await paths()).toEqual(['README.md']);
        expect(editor.text('README.md')).toBe('one');
      });
    });

    describe('remove', () => {
      it('removes what was expected and nothing else', async () => {
        editor.save('a.md', 'one');
        expect(await files.remove('a.md', sha256Hex('two'))).toBe('changed');
        expect(editor.text('a.md')).toBe('one');
        expect(await files.remove('a.md', sha256Hex('one'))).toBe('removed');
        expect(await files.remove('a.md', sha256Hex('one'))).toBe('changed');
        expect(await files.list()).toEqual([]);
      });

      it('removes no folder', async () => {
        editor.save('A/b.md', 'one');
        expect(await files.remove('A', sha256Hex('one'))).toBe('changed');
        expect(editor.text('A/b.md')).toBe('one');
      });
    });

    describe('removeFolder', () => {
      it('removes a folder that is empty, and only such a one', async () => {
        editor.save('A/B/c.md', 'one');
        expect(await files.removeFolder('A/B')).toBe(false);
        expect(await files.removeFolder('A/B/c.md')).toBe(false);
        expect(await files.removeFolder('None')).toBe(false);
        await files.remove('A/B/c.md', sha256Hex('one'));
        expect(await files.removeFolder('A')).toBe(false);
        expect(await files.removeFolder('A/B')).toBe(true);
        expect(await files.removeFolder('A')).toBe(true);
        expect(await files.list()).toEqual([]);
      });

      it('keeps a folder with a hidden file of somebody in it, and drops what the system put there', async () => {
        editor.save('A/.git', 'x');
        expect(await files.removeFolder('A')).toBe(false);
        editor.save('B/.DS_Store', 'x');
        expect(await files.removeFolder('B')).toBe(true);
        expect(await paths()).toEqual(['A']);
      });
    });

    it.each(NOT_INSIDE)('refuses the path %j whatever is asked of it', async (path) => {
      const refused = { code: 'UNSAFE_PATH' };
      editor.save('a.md', 'x');
      await expect(files.stat(path)).rejects.toMatchObject(refused);
      await expect(files.read(path)).rejects.toMatchObject(refused);
      await expect(files.write(path, bytes('x'), null)).rejects.toMatchObject(refused);
      await expect(files.move('a.md', path, sha256Hex('x'))).rejects.toMatchObject(refused);
      await expect(files.move(path, 'b.md', sha256Hex('x'))).rejects.toMatchObject(refused);
      await expect(files.remove(path, sha256Hex('x'))).rejects.toMatchObject(refused);
      await expect(files.removeFolder(path)).rejects.toMatchObject(refused);
      expect(await paths()).toEqual(['a.md']);
    });
  });
}

/** Whether it is settled is a question of when it is asked. */
function omitSettled(stat: object | undefined): object {
  return Object.fromEntries(Object.entries(stat ?? {}).filter(([key]) => key !== 'settled'));
}
