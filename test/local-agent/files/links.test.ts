import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { Files } from '#protocol/ports.ts';
import { tappedDisk } from '#test/support/tapped-disk.ts';
import { createVaultFolder } from './vault-folder.ts';
import type { VaultFolder } from './vault-folder.ts';

const SECRET = 'the secret of another user';
const hash = sha256Hex(SECRET);

let vault: VaultFolder;
let outside: string;
beforeEach(() => {
  vault = createVaultFolder();
  outside = mkdtempSync(path.join(tmpdir(), 'employee-outside-'));
  writeFileSync(path.join(outside, 'secret.md'), SECRET);
});
afterEach(() => {
  vault.dispose();
  rmSync(outside, { recursive: true, force: true });
});

function outsideIsUntouched(): void {
  expect(readdirSync(outside)).toEqual(['secret.md']);
  expect(readFileSync(path.join(outside, 'secret.md'), 'utf8')).toBe(SECRET);
}

/** Everything that could be asked of a file called `secret.md` in a folder. */
const ACTIONS: readonly (readonly [name: string, act: (files: Files, folder: string) => Promise<unknown>])[] =
  [
    ['read', (files, folder) => files.read(`${folder}secret.md`)],
    ['create', (files, folder) => files.write(`${folder}new.md`, Buffer.from('x'), null)],
    ['replace', (files, folder) => files.write(`${folder}secret.md`, Buffer.from('x'), hash)],
    ['move out', (files, folder) => files.move(`${folder}secret.md`, 'Journal/stolen.md', hash)],
    ['move in', (files, folder) => files.move('Journal/mine.md', `${folder}new.md`, sha256Hex('mine'))],
    ['remove', (files, folder) => files.remove(`${folder}secret.md`, hash)],
    ['removeFolder', (files, folder) => files.removeFolder(`${folder}empty`)],
  ];

describe.each([
  ['open folders', true],
  ['paths', false],
])('32: links, by %s', (_how, descriptors) => {
  beforeEach(() => vault.put('Journal/mine.md', 'mine'));

  it('are listed as such and never followed by the list', async () => {
    symlinkSync(outside, vault.at('Folder'));
    symlinkSync(path.join(outside, 'secret.md'), vault.at('file.md'));
    symlinkSync('nowhere', vault.at('dangling.md'));
    const list = await createNodeFiles(vault.root, { descriptors }).list();
    expect(
      list
        .filter(({ kind }) => kind === 'link')
        .map(({ path: each }) => each)
        .sort(),
    ).toEqual(['Folder', 'dangling.md', 'file.md']);
    expect(list.some(({ path: each }) => each.startsWith('Folder/'))).toBe(false);
  });

  it.each(ACTIONS)('in place of a folder are refused: %s', async (_name, act) => {
    symlinkSync(outside, vault.at('Folder'));
    mkdirSync(vault.at('Deep'));
    symlinkSync('../Folder', vault.at('Deep/er'));
    const files = createNodeFiles(vault.root, { descriptors });
    for (const folder of ['Folder/', 'Deep/er/']) {
      await expect(act(files, folder), folder).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    }
    outsideIsUntouched();
    expect(vault.leftovers()).toEqual([]);
  });

  it('in place of a file are refused, and the link stays', async () => {
    symlinkSync(path.join(outside, 'secret.md'), vault.at('secret.md'));
    const files = createNodeFiles(vault.root, { descriptors });
    const refused = { code: 'UNSAFE_PATH' };
    await expect(files.read('secret.md')).rejects.toMatchObject(refused);
    await expect(files.write('secret.md', Buffer.from('x'), hash)).rejects.toMatchObject(refused);
    await expect(files.move('secret.md', 'b.md', hash)).rejects.toMatchObject(refused);
    await expect(files.remove('secret.md', hash)).rejects.toMatchObject(refused);
    expect(await files.write('secret.md', Buffer.from('x'), null)).toBe('changed');
    expect((await files.stat('secret.md'))?.kind).toBe('link');
    outsideIsUntouched();
    expect(vault.leftovers()).toEqual([]);
  });

  it.runIf(process.platform !== 'win32')(
    'pipes are no files, and nobody waits for their other end',
    async () => {
      execFileSync('mkfifo', [vault.at('pipe.md')]);
      const files = createNodeFiles(vault.root, { descriptors });
      await expect(files.read('pipe.md')).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
      expect((await files.list()).find(({ path: each }) => each === 'pipe.md')?.kind).toBe('other');
    },
  );

  it.each(ACTIONS)('in place of a file, put there at any moment: %s', async (_name, act) => {
    for (let at = 1, moments = 2; at <= moments; at++) {
      vault.dispose();
      vault = createVaultFolder();
      vault.put('Journal/mine.md', 'mine');
      vault.put('Folder/secret.md', SECRET);
      mkdirSync(vault.at('Folder/empty'));
      moments = 0;
      const disk = tappedDisk(() => {
        moments += 1;
        if (moments !== at) return;
        for (const name of ['secret.md', 'new.md']) {
          rmSync(vault.at(`Folder/${name}`), { force: true });
          symlinkSync(path.join(outside, 'secret.md'), vault.at(`Folder/${name}`));
        }
      });
      await act(createNodeFiles(vault.root, { disk, descriptors }), 'Folder/').catch(() => undefined);
      outsideIsUntouched();
    }
  });
});

describe('32: a folder that is swapped for a link', () => {
  it.runIf(process.platform === 'linux').each(ACTIONS)(
    'at any moment leads nobody outside: %s',
    async (name, act) => {
      let least = Infinity;
      for (let at = 1, moments = 2; at <= moments; at++) {
        vault.dispose();
        vault = createVaultFolder();
        vault.put('Journal/mine.md', 'mine');
        // Of the same name and bytes as outside, so that only the place tells them apart.
        vault.put('Folder/secret.md', SECRET);
        mkdirSync(vault.at('Folder/empty'));
        mkdirSync(path.join(outside, 'empty'));
        moments = 0;
        const disk = tappedDisk(() => {
          moments += 1;
          if (moments !== at) return;
          renameSync(vault.at('Folder'), vault.at('Elsewhere'));
          symlinkSync(outside, vault.at('Folder'));
        });
        await act(createNodeFiles(vault.root, { disk }), 'Folder/').catch(() => undefined);
        expect(readdirSync(outside).sort(), `${name}, swapped at ${at}`).toEqual(['empty', 'secret.md']);
        rmSync(path.join(outside, 'empty'), { recursive: true });
        outsideIsUntouched();
        unlinkSync(vault.at('Folder'));
        least = Math.min(least, moments);
      }
      expect(least).toBeGreaterThan(5);
    },
  );

  it('and a folder that disappears at any moment ends in an answer, not in a defect', async () => {
    for (const [, act] of ACTIONS) {
      for (let at = 1, moments = 2; at <= moments; at++) {
        vault.dispose();
        vault = createVaultFolder();
        vault.put('Journal/mine.md', 'mine');
        vault.put('Folder/secret.md', SECRET);
        moments = 0;
        const disk = tappedDisk(() => {
          moments += 1;
          if (moments === at) renameSync(vault.at('Folder'), `${vault.root}-gone`);
        });
        const answer = await act(createNodeFiles(vault.root, { disk }), 'Folder/').catch(
          (error: unknown) => error,
        );
        if (answer instanceof Error)
          expect(answer).toHaveProperty('code', expect.stringMatching(/^[A-Z_]+$/));
        rmSync(`${vault.root}-gone`, { recursive: true });
      }
    }
  });
});
