import { describe, expect, it } from 'vitest';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { createMemoryDisk } from '#test/support/memory/memory-disk.ts';
import type { MemoryDisk } from '#test/support/memory/memory-disk.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { tappedDisk } from '#test/support/tapped-disk.ts';
import { FILE_CHANGES } from './file-changes.ts';
import type { FileChangeCase } from './file-changes.ts';

const ROOT = '/vault';
/** What a power cut leaves is up to chance: so often at each moment. */
const CUTS = 12;

function arranged(test: FileChangeCase): MemoryDisk {
  const machine = createMemoryDisk(ROOT);
  test.arrange({ put: (path, text) => machine.save(`${ROOT}/${path}`, text) });
  return machine;
}

/** Makes the change until the power fails at a moment of it. @returns whether it was answered before that. */
async function changeUntil(test: FileChangeCase, { disk }: MemoryDisk, moments: number): Promise<boolean> {
  let seen = 0;
  const tapped = tappedDisk(({ call }) => {
    if (call === 'close') return;
    if (seen >= moments) throw new Error('no power');
    seen += 1;
  }, disk);
  try {
    expect(await test.change(createNodeFiles(ROOT, { disk: tapped, descriptors: true }))).toBe(test.done);
    return true;
  } catch (error) {
    if (!String(error).includes('no power')) throw error;
    return false;
  }
}

/** The vault as a process sees it that begins when the power is back. */
async function texts({ disk, files }: MemoryDisk): Promise<Map<string, string>> {
  const listed = await createNodeFiles(ROOT, { disk, descriptors: true }).list();
  const all = files();
  const seen = listed.filter(({ kind }) => kind === 'file').map(({ path }) => path);
  return new Map(seen.map((path) => [path, all.get(`${ROOT}/${path}`) ?? '']));
}

const asJson = (tree: ReadonlyMap<string, string>): string => JSON.stringify([...tree].sort());

describe.each(FILE_CHANGES)('28: the power fails while $name is made', (test) => {
  it('at any moment: the vault is as before or after, no file is torn, and what was answered stays', async () => {
    const ends = new Set<string>();
    let answered = 0;
    for (let moments = 0; answered === 0 || moments < 15; moments++) {
      for (let cut = 0; cut < CUTS; cut++) {
        const machine = arranged(test);
        const done = await changeUntil(test, machine, moments);
        machine.powerCut(seededRandom(moments * 1000 + cut));
        const tree = asJson(await texts(machine));
        const where = `without power after ${moments} calls, cut ${cut}`;
        if (done) expect(tree, `${where}, answered before`).toBe(asJson(test.after));
        else expect([asJson(test.before), asJson(test.after)], where).toContain(tree);
        ends.add(tree);
        answered += done ? 1 : 0;
        if (tree === asJson(test.after)) continue;
        expect(await test.change(createNodeFiles(ROOT, { disk: machine.disk, descriptors: true }))).toBe(
          test.done,
        );
        machine.powerCut(() => 0);
        expect(asJson(await texts(machine)), `${where}, made again, and cut again`).toBe(asJson(test.after));
      }
    }
    expect(ends.size).toBe(2);
  });
});
