import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { BlobMissingError } from '#protocol/errors.ts';
import { systemError, tappedDisk } from '#test/support/tapped-disk.ts';
import { createTwoMachines, entriesOf } from '#test/support/two-machines.ts';
import type { Side, Tree, TwoMachines } from '#test/support/two-machines.ts';

let machines: TwoMachines | undefined;

afterEach(() => {
  machines?.dispose();
  machines = undefined;
});

async function start(files: Tree): Promise<TwoMachines> {
  machines = await createTwoMachines(files);
  return machines;
}

/** Larger than what an entry carries. */
const LONG = `one\n${Array.from({ length: 1500 }, (_each, n) => `line ${n}\n`).join('')}five\n`;

/** A machine to which one file's contents do not come any more. */
function withoutContents({ world }: TwoMachines, side: Side, sha256: string | undefined): void {
  side.restart({
    blobs: {
      put: (id, sealed) => world.blobs.put(id, sealed),
      get: (id, part) =>
        id === sha256 ? Promise.reject(new BlobMissingError('it is gone')) : world.blobs.get(id, part),
    },
  });
}

function blobOf({ laptop }: TwoMachines, name: string): string | undefined {
  const content = laptop.agent.session.state.files.get(name)?.content;
  return content && 'blob' in content ? content.blob : undefined;
}

describe('contents that the store has no more', () => {
  it('of one file that both edited keep no other file from being synced, and nothing is lost', async () => {
    const all = await start({ 'a.md': LONG, 'b.md': 'b' });
    const { laptop, desktop } = all;
    laptop.put('a.md', LONG.replace('one', 'ONE'));
    laptop.put('d.md', 'd');
    await laptop.sync();
    withoutContents(all, desktop, blobOf(all, 'a.md'));
    desktop.put('a.md', LONG.replace('five', 'FIVE'));
    desktop.put('c.md', 'c');
    const report = await desktop.sync();
    expect(report.explained.join()).toContain('a.md stays as it is on this machine for now: it is gone');
    expect(desktop.tree()).toEqual({
      'a.md': LONG.replace('five', 'FIVE'),
      'b.md': 'b',
      'c.md': 'c',
      'd.md': 'd',
    });
    desktop.restart();
    const merged = LONG.replace('one', 'ONE').replace('five', 'FIVE');
    expect(await all.settle()).toEqual({ 'a.md': merged, 'b.md': 'b', 'c.md': 'c', 'd.md': 'd' });
  });

  it('of the version that both began with: both versions are kept', async () => {
    const all = await start({ 'a.md': LONG });
    const { laptop, desktop } = all;
    withoutContents(all, desktop, blobOf(all, 'a.md'));
    laptop.put('a.md', LONG.replace('one', 'ONE'));
    await laptop.sync();
    desktop.put('a.md', LONG.replace('five', 'FIVE'));
    expect((await desktop.sync()).conflicts).toHaveLength(1);
    expect(Object.values(await all.settle()).sort()).toEqual(
      [LONG.replace('one', 'ONE'), LONG.replace('five', 'FIVE')].sort(),
    );
  });

  it('of a file that moves from the shared part to the private one come from the disk', async () => {
    const all = await start({ 'Templates/t.md': LONG });
    const { laptop, desktop } = all;
    withoutContents(all, laptop, blobOf(all, 'Templates/t.md'));
    laptop.move('Templates/t.md', 't.md');
    expect((await laptop.sync()).explained).toEqual([]);
    await desktop.sync();
    expect(desktop.tree()).toEqual({ 't.md': LONG });
  });
});

describe('a disk that does not show everything', () => {
  it.each(['EACCES', 'EIO', 'ENAMETOOLONG'])(
    '(%s for what is in a folder): what is there is left alone, here and elsewhere, and the rest is synced',
    async (code) => {
      const { laptop, desktop, world } = await start({ 'f/a.md': 'a', 'b.md': 'b' });
      const entries = entriesOf(world);
      const disk = tappedDisk(({ call, args }) => {
        if (call === 'lstat' && String(args[0]).includes('/f/')) throw systemError(code);
      });
      laptop.restart({ files: createNodeFiles(laptop.vault, { disk }) });
      const { withheld } = await laptop.sync();
      expect(withheld.map(({ path: name, why }) => `${name}: ${why}`)).toEqual([
        expect.stringContaining('f/a.md: it cannot be read'),
      ]);
      expect(entriesOf(world)).toBe(entries);
      laptop.put('b.md', 'edited');
      await laptop.sync();
      await desktop.sync();
      expect(desktop.tree()).toEqual({ 'f/a.md': 'a', 'b.md': 'edited' });
    },
  );

  it('and hides what was put aside before an interruption: nothing below that folder is deleted elsewhere', async () => {
    const { laptop, desktop } = await start({ 'f/a.md': 'a', 'f/b.md': 'b', 'c.md': 'c' });
    const aside = `f/.~employee-kept-${'0'.repeat(16)}-${'0'.repeat(64)}`;
    laptop.move('f/a.md', `${aside}/a.md`);
    const disk = tappedDisk(({ call, args }) => {
      if (call === 'names' && String(args[0]).includes('.~employee-kept')) throw systemError('EACCES');
    });
    laptop.restart({ files: createNodeFiles(laptop.vault, { disk }) });
    expect((await laptop.sync()).withheld).toMatchObject([{ path: 'f' }]);
    await desktop.sync();
    expect(desktop.tree()).toEqual({ 'f/a.md': 'a', 'f/b.md': 'b', 'c.md': 'c' });
    laptop.restart({ files: createNodeFiles(laptop.vault) });
    expect(await laptop.sync()).toMatchObject({ pushed: 0, withheld: [] });
    expect(laptop.read('f/a.md')).toBe('a');
  });

  it('where the page of the day stands behind a link, the sync goes on and says so', async () => {
    const { laptop, desktop, world } = await start({ 'b.md': 'b' });
    await world.draft();
    rmSync(path.join(laptop.vault, 'Briefings'), { recursive: true, force: true });
    mkdirSync(path.join(laptop.vault, '..', 'elsewhere'));
    symlinkSync(path.join(laptop.vault, '..', 'elsewhere'), path.join(laptop.vault, 'Briefings'));
    laptop.put('b.md', 'edited');
    expect((await laptop.sync()).explained.join()).toContain('the page of the day was not written');
    await desktop.sync();
    expect(desktop.read('b.md')).toBe('edited');
  });

  it('and keeps an emptied folder: the rest of the sync is done', async () => {
    const { laptop, desktop } = await start({ 'f/a.md': 'a', 'b.md': 'b' });
    desktop.remove('f/a.md');
    desktop.put('b.md', 'edited');
    await desktop.sync();
    const disk = tappedDisk(({ call, args }) => {
      if (call === 'rmdir' && String(args[0]).endsWith('/f')) throw systemError('EACCES');
    });
    laptop.restart({ files: createNodeFiles(laptop.vault, { disk }) });
    await laptop.sync();
    expect(laptop.tree()).toEqual({ 'b.md': 'edited' });
  });
});

describe('very many changes', () => {
  it('fill entry after entry, each change once', async () => {
    const { laptop, world } = await start({ 'a.md': 'a' });
    const entries = entriesOf(world);
    for (let n = 0; n < 3000; n++) laptop.put(`n/${n % 20}/${n}.md`, `note ${n}`);
    const { changes } = await laptop.sync();
    expect(changes).toHaveLength(3000);
    expect(entriesOf(world)).toBe(entries + 3);
  });

  it('of names in a chain, longer than an entry can be, arrive as what they are', async () => {
    const long = (n: number): string => `${'a long name '.repeat(15)}${String(n).padStart(4, '0')}.md`;
    const files = Object.fromEntries(Array.from({ length: 800 }, (_each, n) => [long(n), `page ${n}`]));
    const { laptop, desktop, world } = await start(files);
    for (let n = 799; n >= 0; n--) laptop.move(long(n), long(n + 1));
    const entries = entriesOf(world);
    const { changes } = await laptop.sync();
    expect(changes.filter(({ op }) => op === 'move')).toHaveLength(800);
    for (const { entry } of world.ledger.rows.slice(entries))
      expect(JSON.stringify(entry).length).toBeLessThan(390_000);
    await desktop.sync();
    expect(desktop.tree()).toEqual(laptop.tree());
    expect(desktop.read(long(800))).toBe('page 799');
  });
});
