import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { tappedDisk } from '#test/support/tapped-disk.ts';
import type { Moment } from '#test/support/tapped-disk.ts';
import { SAVE_HABITS } from './editors.ts';
import { FILE_CHANGES, NOTE } from './file-changes.ts';
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

/** Makes the change, with somebody at each moment of it. */
async function changeWith(
  test: FileChangeCase,
  vault: VaultFolder,
  descriptors: boolean,
  onMoment: (moment: Moment, index: number) => void,
): Promise<string> {
  let index = 0;
  const disk = tappedDisk((moment) => onMoment(moment, index++));
  return test.change(createNodeFiles(vault.root, { disk, descriptors }));
}

async function momentsOf(test: FileChangeCase, descriptors: boolean): Promise<Moment[]> {
  const moments: Moment[] = [];
  const vault = arranged(test);
  expect(await changeWith(test, vault, descriptors, (moment) => moments.push(moment))).toBe(test.done);
  expect(await vault.texts()).toEqual(test.after);
  vault.dispose();
  return moments;
}

describe.each([
  ['open folders', true],
  ['paths', false],
])('27: a person saves while a sync works by %s', (_how, descriptors) => {
  describe.each(FILE_CHANGES)('on $name', (test) => {
    it.each(SAVE_HABITS)('$name: at no moment is what was saved lost', { timeout: 60_000 }, async (habit) => {
      const moments = await momentsOf(test, descriptors);
      expect(moments.length).toBeGreaterThan(20);
      const { length } = habit.steps('', '');
      // The whole save at one moment, and its steps spread over the moments that follow.
      for (let begin = 0; begin < moments.length; begin++) {
        for (const apart of descriptors ? [0, 1, 3] : [0]) {
          const vault = arranged(test);
          const file = vault.at(NOTE);
          mkdirSync(path.dirname(file), { recursive: true });
          const steps = habit.steps(file, EDITED);
          await changeWith(test, vault, descriptors, (_moment, index) => {
            while (steps.length > 0 && index >= begin + apart * (length - steps.length)) steps.shift()?.();
          });
          for (const step of steps) step();
          const where = `begun ${describeMoment(moments[begin])}, ${apart} apart`;
          const texts = await vault.texts();
          expect([...texts.values()], where).toContain(EDITED);
          expect(vault.leftovers(), where).toEqual([]);
          vault.dispose();
        }
      }
    });
  });

  it.each(FILE_CHANGES.slice(1))(
    'on $name: what a program writes into the file that it had open before is kept until the very last look',
    { timeout: 60_000 },
    async (test) => {
      const moments = await momentsOf(test, descriptors);
      const isLast = ({ call, when, args }: Moment): boolean =>
        call === 'unlink' && when === 'before' && String(args[0]).endsWith('/note.md');
      // A moved file is never given up: it can be written to for ever.
      const given = test.done === 'moved' ? undefined : moments.findLast(isLast);
      // The look is the call right before; what comes between the two is not seen by anybody.
      const end = given === undefined ? moments.length : moments.indexOf(given) - 1;
      expect(end).toBeGreaterThan(20);
      for (let at = 0; at < end; at++) {
        const vault = arranged(test);
        const descriptor = openSync(vault.at(NOTE), 'r+');
        await changeWith(test, vault, descriptors, (_moment, index) => {
          // Of the same length as what stood there.
          if (index === at) writeFileSync(descriptor, EDITED.slice(0, 16));
        });
        closeSync(descriptor);
        const texts = await vault.texts();
        const where = `written ${describeMoment(moments[at])}`;
        expect([...texts.values()], where).toContain(EDITED.slice(0, 16));
        expect(vault.leftovers(), where).toEqual([]);
        vault.dispose();
      }
    },
  );
});

describe('27: what could not keep its name', () => {
  it('stands beside the new file under a name that says so, once for the same bytes', async () => {
    const replaced = FILE_CHANGES[1];
    if (!replaced) throw new Error('arranged badly');
    for (let round = 0; round < 2; round++) {
      const vault = round === 0 ? arranged(replaced) : vaults[0];
      if (!vault) throw new Error('arranged badly');
      vault.put(NOTE, 'what stood there');
      const descriptor = openSync(vault.at(NOTE), 'r+');
      let written = false;
      const answer = await changeWith(replaced, vault, true, ({ call, when }) => {
        if (written || call !== 'link' || when === 'before') return;
        written = true;
        writeFileSync(descriptor, 'the last words!!');
      });
      closeSync(descriptor);
      expect(answer).toBe('written');
      const texts = await vault.texts();
      expect(texts.get(NOTE)).toBe('what the ledger has');
      const beside = [...texts.keys()].filter((each) => each.includes('saved during a sync'));
      expect(beside).toHaveLength(1);
      expect(beside[0]).toMatch(/^Journal\/note \(saved during a sync [0-9a-f]{8}\)\.md$/);
      expect(texts.get(beside[0] ?? '')).toBe('the last words!!');
    }
  });

  it('the name of a replaced file is missing for three calls at most', async () => {
    const [, replaced] = FILE_CHANGES;
    if (!replaced) throw new Error('arranged badly');
    const vault = arranged(replaced);
    const missing: string[] = [];
    await changeWith(replaced, vault, true, ({ call, when }) => {
      if (when === 'before' && !existsSync(vault.at(NOTE))) missing.push(call);
    });
    expect(missing).toEqual(['lstat', 'link']);
  });
});

function describeMoment(moment: Moment | undefined): string {
  return moment ? `${moment.when} call ${moment.n} (${moment.call})` : 'never';
}
