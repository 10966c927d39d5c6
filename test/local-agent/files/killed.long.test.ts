import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { tappedDisk } from '#test/support/tapped-disk.ts';
import type { Moment } from '#test/support/tapped-disk.ts';
import { SAVE_HABITS } from './editors.ts';
import { BASE, FILE_CHANGES, INCOMING, NOTE } from './file-changes.ts';
import type { FileChangeCase } from './file-changes.ts';
import { createVaultFolder } from './vault-folder.ts';
import type { VaultFolder } from './vault-folder.ts';

const EDITED = 'what a person has just saved';

const vaults: VaultFolder[] = [];
afterEach(() => {
  for (const vault of vaults.splice(0)) vault.dispose();
});

function arranged(test: FileChangeCase): VaultFolder {
  const vault = createVaultFolder();
  vaults.push(vault);
  test.arrange(vault);
  return vault;
}

/** Makes the change and dies at a moment of it: no call to the disk works after that, as after kill -9. */
async function dieAt(
  test: FileChangeCase,
  vault: VaultFolder,
  dies: number,
  onMoment: (index: number) => void = () => undefined,
): Promise<Moment[]> {
  const moments: Moment[] = [];
  const disk = tappedDisk((moment) => {
    // What a dead process holds open is closed for it.
    if (moment.call === 'close') return;
    if (moments.length >= dies) throw new Error('killed');
    onMoment(moments.length);
    moments.push(moment);
  });
  const change = test.change(createNodeFiles(vault.root, { disk }));
  if (dies === Infinity) expect(await change).toBe(test.done);
  else await change.catch(() => undefined);
  return moments;
}

describe.each(FILE_CHANGES)('28: killed while $name is made', (test) => {
  it('at any moment: the next list shows the vault as it was before or after, and nothing of ours', async () => {
    const { length } = await dieAt(test, arranged(test), Infinity);
    expect(length).toBeGreaterThan(15);
    const ends = new Set<string>();
    for (let dies = 0; dies < length; dies++) {
      const vault = arranged(test);
      await dieAt(test, vault, dies);
      const texts = await vault.texts();
      const end = [test.before, test.after].findIndex((state) => isEqual(state, texts));
      expect(end, `killed at ${dies} of ${length}: ${JSON.stringify([...texts])}`).not.toBe(-1);
      ends.add(end === 0 ? 'before' : 'after');
      expect(vault.leftovers(), `killed at ${dies}`).toEqual([]);
      // Done again, it ends as it should.
      if (end === 0)
        expect(await test.change(createNodeFiles(vault.root)), `killed at ${dies}`).toBe(test.done);
      expect(await vault.texts()).toEqual(test.after);
      vault.dispose();
    }
    expect(ends).toEqual(new Set(['before', 'after']));
  });

  it.each(SAVE_HABITS)(
    'and before that a person saved ($name): that is there afterwards',
    { timeout: 60_000 },
    async (habit) => {
      const { length } = await dieAt(test, arranged(test), Infinity);
      for (let saves = 0; saves < length; saves += 2) {
        for (let dies = saves + 1; dies < length + 4; dies += 2) {
          const vault = arranged(test);
          const file = vault.at(NOTE);
          mkdirSync(path.dirname(file), { recursive: true });
          let saved = false;
          await dieAt(test, vault, dies, (index) => {
            saved ||= index === saves;
            if (index === saves) for (const step of habit.steps(file, EDITED)) step();
          });
          // With the folder there already the change is shorter.
          if (!saved) continue;
          const texts = await vault.texts();
          expect([...texts.values()], `saved at ${saves}, killed at ${dies}`).toContain(EDITED);
          expect(vault.leftovers(), `saved at ${saves}, killed at ${dies}`).toEqual([]);
          vault.dispose();
        }
      }
    },
  );

  it.each(SAVE_HABITS)(
    'and after that a person saved ($name): that stands, and so does what it replaced if unknown',
    async (habit) => {
      const { length } = await dieAt(test, arranged(test), Infinity);
      for (let dies = 0; dies < length; dies++) {
        const vault = arranged(test);
        await dieAt(test, vault, dies);
        mkdirSync(path.dirname(vault.at(NOTE)), { recursive: true });
        for (const step of habit.steps(vault.at(NOTE), EDITED)) step();
        const texts = await vault.texts();
        expect(texts.get(NOTE), `killed at ${dies}`).toBe(EDITED);
        expect([...texts.values()].filter((text) => ![EDITED, BASE, INCOMING, 'x'].includes(text))).toEqual(
          [],
        );
        expect(vault.leftovers()).toEqual([]);
        vault.dispose();
      }
    },
  );
});

describe('28: what a killed process left', () => {
  const aside = (kind: string, hash: string): string => `.~employee-${kind}-0123456789abcdef-${hash}`;

  it('is put back beside what stands there now if nobody knows its bytes', async () => {
    const vault = createVaultFolder();
    vaults.push(vault);
    vault.put('Journal/a.md', 'new');
    vault.put(`Journal/${aside('kept', '0'.repeat(64))}/a.md`, 'old');
    const texts = await vault.texts();
    expect(texts.get('Journal/a.md')).toBe('new');
    expect([...texts]).toContainEqual([
      expect.stringMatching(/^Journal\/a \(saved during a sync [0-9a-f]{8}\)\.md$/),
      'old',
    ]);
    expect(vault.leftovers()).toEqual([]);
    expect(await vault.texts()).toEqual(texts);
  });

  it('is listed as withheld, not as gone, while it cannot be put back', async () => {
    const vault = createVaultFolder();
    vaults.push(vault);
    vault.put(`Journal/${aside('kept', '0'.repeat(64))}/a.md`, 'old');
    const disk = tappedDisk(({ call, when }) => {
      if (call === 'link' && when === 'before') throw Object.assign(new Error('no'), { code: 'EROFS' });
    });
    const list = await createNodeFiles(vault.root, { disk }).list();
    expect(list.find(({ path: each }) => each === 'Journal/a.md')).toMatchObject({
      problem: 'it could not be put back after an interruption (the disk is read-only)',
    });
    expect((await vault.texts()).get('Journal/a.md')).toBe('old');
  });

  it('a folder of a name like ours with other things in it is left alone', async () => {
    const vault = createVaultFolder();
    vaults.push(vault);
    vault.put('.~employee-notes/a.md', 'x');
    writeFileSync(vault.at('.~employee-file'), 'x');
    expect(await vault.texts()).toEqual(new Map());
    expect(readdirSync(vault.root).sort()).toEqual(['.~employee-file', '.~employee-notes']);
  });
});

function isEqual(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
