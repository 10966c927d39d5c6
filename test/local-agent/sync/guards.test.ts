import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SENTINEL } from '#local-agent/sync/sentinel.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { FileChange } from '#protocol/ledger-body.ts';
import { noteRef } from '#test/protocol/samples.ts';
import { createTwoMachines, entriesOf } from '#test/support/two-machines.ts';
import type { Tree, TwoMachines } from '#test/support/two-machines.ts';

let machines: TwoMachines | undefined;

afterEach(() => {
  machines?.dispose();
  machines = undefined;
});

function twelve(): Tree {
  return Object.fromEntries(Array.from({ length: 12 }, (_each, n) => [`Journal/${n}.md`, `day ${n}`]));
}

async function start(files: Tree): Promise<TwoMachines> {
  machines = await createTwoMachines(files);
  return machines;
}

describe('a vault that is not all there (FAILURES 30)', () => {
  it('whose folder is gone stops the sync and says so', async () => {
    const { laptop } = await start({ 'a.md': 'a' });
    renameSync(laptop.vault, `${laptop.vault}-unmounted`);
    await expect(laptop.sync()).rejects.toThrow(/is no vault .*Is its disk mounted/);
    mkdirSync(laptop.vault);
    await expect(laptop.sync()).rejects.toThrow(/is no vault .*Is its disk mounted/);
  });

  it('that is unmounted while the sync runs loses nothing elsewhere, nor gets anything', async () => {
    const { laptop, desktop, world } = await start(twelve());
    desktop.put('Journal/0.md', 'edited');
    await desktop.sync();
    const entries = entriesOf(world);
    const { files } = laptop.agent;
    const unmounting = laptop.restart({
      files: {
        ...files,
        list: async () => {
          const listed = await files.list();
          rmSync(path.join(laptop.vault, SENTINEL), { force: true });
          return listed.filter((stat) => stat.path !== 'Journal/3.md');
        },
      },
    });
    laptop.remove('Journal/3.md');
    await expect(syncVault(unmounting)).rejects.toThrow('is no vault');
    expect(entriesOf(world)).toBe(entries);
    expect(laptop.read('Journal/0.md')).toBe('day 0');
  });

  it('of which more than half was deleted stops the sync; moves do not count, and steps may be taken', async () => {
    const { laptop, world } = await start(twelve());
    const entries = entriesOf(world);
    laptop.move('Journal', 'Diary');
    expect(await laptop.sync()).toMatchObject({ pushed: 12 });
    for (let n = 0; n < 7; n++) laptop.remove(`Diary/${n}.md`);
    await expect(laptop.sync()).rejects.toThrow('7 of 12 files are gone from the vault');
    expect(entriesOf(world)).toBe(entries + 1);
    for (let n = 0; n < 2; n++) laptop.put(`Diary/${n}.md`, `day ${n}`);
    expect(await laptop.sync()).toMatchObject({ pushed: 5 });
  });

  it('that is deleted so slowly that each sync sees a few files go stops it all the same, for an hour', async () => {
    const { laptop, desktop, world } = await start(twelve());
    for (let n = 0; n < 6; n++) {
      laptop.remove(`Journal/${n}.md`);
      expect(await laptop.sync()).toMatchObject({ pushed: 1 });
      world.clock.advance(60_000);
    }
    const entries = entriesOf(world);
    laptop.remove('Journal/6.md');
    await expect(laptop.sync()).rejects.toThrow('7 of 12 files are gone from the vault within an hour');
    laptop.restart();
    await expect(laptop.sync()).rejects.toThrow('7 of 12');
    expect(entriesOf(world)).toBe(entries);
    world.clock.advance(60 * 60_000);
    expect(await laptop.sync()).toMatchObject({ pushed: 1 });
    expect(await desktop.sync()).toMatchObject({ applied: 7 });
  });

  it('of which a person says that so many deletions are meant is followed by every machine', async () => {
    const { laptop, desktop } = await start(twelve());
    for (let n = 0; n < 11; n++) laptop.remove(`Journal/${n}.md`);
    await expect(laptop.sync()).rejects.toThrow('employee sync --allow-deletes');
    expect(await syncVault(laptop.agent, { allowDeletes: true })).toMatchObject({ pushed: 11 });
    expect(await desktop.sync()).toMatchObject({ applied: 11 });
    expect(desktop.tree()).toEqual({ 'Journal/11.md': 'day 11' });
  });

  it('whose machine lost its own memory is rebuilt, and a file that was deleted meanwhile comes back', async () => {
    const { laptop, world } = await start({ 'a.md': 'a', 'b.md': 'b' });
    rmSync(path.join(laptop.vault, '..', 'ledger.db'));
    for (const end of ['-wal', '-shm'])
      rmSync(path.join(laptop.vault, '..', `ledger.db${end}`), { force: true });
    laptop.remove('b.md');
    laptop.put('c.md', 'c');
    const entries = entriesOf(world);
    laptop.restart();
    expect(await laptop.sync()).toMatchObject({ applied: 1, pushed: 1 });
    expect(entriesOf(world)).toBe(entries + 1);
    expect(laptop.tree()).toEqual({ 'a.md': 'a', 'b.md': 'b', 'c.md': 'c' });
  });
});

describe('what stays on a machine (FAILURES 31)', () => {
  const SECRET = `AKIA${'Z2XY'.repeat(4)}`;

  it('a file that becomes a secret keeps its last harmless version in the ledger, and is no deletion', async () => {
    const { laptop, desktop, world } = await start({ 'a.md': 'harmless', 'b.md': 'b' });
    const entries = entriesOf(world);
    laptop.put('a.md', SECRET);
    expect((await laptop.sync()).withheld.map((each) => each.path)).toEqual(['a.md']);
    expect(entriesOf(world)).toBe(entries);
    expect(desktop.read('a.md')).toBe('harmless');
    laptop.put('a.md', 'harmless again');
    expect(await laptop.sync()).toMatchObject({ pushed: 1, withheld: [] });
  });

  it('in a conflict the secret side stays where it is and goes nowhere, not as a copy either', async () => {
    const { laptop, desktop, world } = await start({ 'a.md': 'harmless', 'b.md': 'b' });
    desktop.put('a.md', 'edited');
    await desktop.sync();
    laptop.put('a.md', SECRET);
    for (let i = 0; i < 2; i++) {
      expect(await laptop.sync()).toMatchObject({
        applied: 0,
        pushed: 0,
        conflicts: [],
        withheld: [{ path: 'a.md' }],
      });
    }
    expect(laptop.read('a.md')).toBe(SECRET);
    expect(JSON.stringify([...laptop.agent.session.state.conflicts])).toBe('[]');
    await world.cloud.pull();
    expect(desktop.tree()).toEqual({ 'a.md': 'edited', 'b.md': 'b' });
  });

  it.each([
    ['a name of secrets', 'my-token.md', undefined],
    ['a name that not every system can have', 'plan: a?.md', undefined],
    ['a folder of secrets', 'secrets/a.md', undefined],
    ['a folder that looks like a shared one', 'templates/a.md', undefined],
    ['a folder of tasks', 'Needs_Action/a.md', undefined],
    ['another name and a secret in it', 'b2.md', SECRET],
  ])(
    'a file that is given %s is listed and not deleted elsewhere, and moves once it may',
    async (_name, to, text) => {
      const { laptop, desktop, world } = await start({ 'Notes/a.md': 'a', 'b.md': 'b' });
      const entries = entriesOf(world);
      laptop.move('Notes/a.md', to);
      if (text !== undefined) laptop.put(to, text);
      const { withheld } = await laptop.sync();
      expect(withheld.map((each) => each.path).sort()).toEqual(['Notes/a.md', to].sort());
      // An editor saves it as a new file: it still is the one that was moved there.
      laptop.put('saved.tmp', text ?? 'edited');
      laptop.move('saved.tmp', to);
      laptop.restart();
      expect(await laptop.sync()).toMatchObject({ pushed: 0, applied: 0 });
      await desktop.sync();
      expect(desktop.tree()).toEqual({ 'Notes/a.md': 'a', 'b.md': 'b' });
      expect(entriesOf(world)).toBe(entries);
      laptop.put(to, 'a');
      laptop.move(to, 'plan.md');
      expect(await laptop.sync()).toMatchObject({ withheld: [], changes: [{ op: 'move', path: 'plan.md' }] });
      await desktop.sync();
      expect(desktop.tree()).toEqual({ 'b.md': 'b', 'plan.md': 'a' });
    },
  );

  it('a file that is deleted where it was withheld is gone, and then it goes elsewhere too', async () => {
    const { laptop, desktop } = await start({ 'a.md': 'a', 'b.md': 'b' });
    laptop.move('a.md', 'my-token.md');
    await laptop.sync();
    laptop.remove('my-token.md');
    expect(await laptop.sync()).toMatchObject({ pushed: 1, withheld: [] });
    await desktop.sync();
    expect(desktop.tree()).toEqual({ 'b.md': 'b' });
  });

  it('a folder that becomes a link is listed and not deleted elsewhere', async () => {
    const { laptop, desktop } = await start({ 'Notes/a.md': 'a', 'b.md': 'b' });
    renameSync(path.join(laptop.vault, 'Notes'), path.join(laptop.vault, '.hidden'));
    symlinkSync(path.join(laptop.vault, '.hidden'), path.join(laptop.vault, 'Notes'));
    const { withheld } = await laptop.sync();
    expect(withheld).toMatchObject([{ path: 'Notes' }]);
    await desktop.sync();
    expect(desktop.tree()).toEqual({ 'Notes/a.md': 'a', 'b.md': 'b' });
  });

  it('what another machine with older rules sent is not written here: by its name, by what is in it', async () => {
    const { laptop, desktop, world } = await start({ 'b.md': 'b' });
    const changes: FileChange[] = [
      { op: 'put', path: 'secrets/a.md', content: noteRef('plain').content },
      { op: 'put', path: 'keys.md', content: noteRef(SECRET).content },
      { op: 'put', path: 'fine.md', content: noteRef('fine').content },
    ];
    await desktop.agent.session.append(() => ({ ring: 'private', body: { kind: 'files', changes } }));
    const entries = entriesOf(world);
    for (let i = 0; i < 2; i++) {
      const { withheld } = await laptop.sync();
      expect(withheld.map((each) => each.path).sort()).toEqual(['keys.md', 'secrets/a.md']);
    }
    expect(laptop.tree()).toEqual({ 'b.md': 'b', 'fine.md': 'fine' });
    expect(entriesOf(world)).toBe(entries);
  });
});

describe("the other zone's forbidden writes", () => {
  it('are refused as incidents, and nothing of them reaches the disk', async () => {
    const { laptop, world } = await start({ 'Handbook.md': 'mine', 'Templates/t.md': 't' });
    const content = noteRef('forged').content;
    const base = laptop.agent.session.state.files.get('Handbook.md')?.content.sha256 ?? '';
    const before = laptop.tree();
    for (const change of [
      { op: 'put', path: 'Handbook.md', base, content },
      { op: 'delete', path: 'Handbook.md', base },
      { op: 'move', path: 'Handbook.md', to: 'Templates/h.md', base },
      { op: 'put', path: 'Approved/x.md', content },
      { op: 'put', path: 'Briefings/../.git/hooks/post-commit', content },
      { op: 'put', path: '.obsidian/plugins/x.js', content },
      { op: 'put', path: 'templates/x.md', content },
    ] satisfies FileChange[]) {
      await world.forge('cloud', { kind: 'files', changes: [change] }).catch((error: unknown) => {
        // Not even a ledger entry can be made of a path that leads out of the vault.
        expect(String(error)).toContain('not a safe vault path');
      });
    }
    const report = await laptop.sync();
    expect(report.incidents.map(({ severity, writer }) => [severity, writer])).toEqual(
      Array.from({ length: 6 }, () => ['incident', 'cloud']),
    );
    expect(report).toMatchObject({ applied: 0, pushed: 0 });
    expect(laptop.tree()).toEqual(before);
  });

  it('a page of the day by the cloud is taken, and the change is said to be its work', async () => {
    const { laptop, world } = await start({ 'b.md': 'b' });
    const content = noteRef('# The day').content;
    await world.forge('cloud', {
      kind: 'files',
      changes: [{ op: 'put', path: 'Briefings/2026-11-21.md', content }],
    });
    expect((await laptop.sync()).changes).toEqual([
      { direction: 'in', op: 'put', path: 'Briefings/2026-11-21.md', zone: 'cloud' },
    ]);
  });
});

describe('what is in the way on the disk', () => {
  it('an empty folder makes way for a file; one with a file that stays here does not, and that is said', async () => {
    const { laptop, desktop } = await start({ 'b.md': 'b' });
    mkdirSync(path.join(desktop.vault, 'x', 'y'), { recursive: true });
    mkdirSync(path.join(desktop.vault, 'z'));
    writeFileSync(path.join(desktop.vault, 'z', 'my-token.md'), 'withheld');
    laptop.put('x', 'file');
    laptop.put('z', 'file');
    await laptop.sync();
    const report = await desktop.sync();
    expect(desktop.read('x')).toBe('file');
    expect(desktop.read('z/my-token.md')).toBe('withheld');
    expect(
      [...report.explained, ...report.withheld.map((each) => `${each.path} ${each.why}`)].join('\n'),
    ).toMatch(/^z\b/m);
  });

  it('folders that a sync emptied go, the standing ones and those with hidden files stay', async () => {
    const { laptop, desktop } = await start({ 'x/y/a.md': 'a', 'Templates/t.md': 't', 'o/a.md': 'o' });
    writeFileSync(path.join(desktop.vault, 'o', '.hidden'), '');
    for (const each of ['x', 'Templates/t.md', 'o']) laptop.remove(each);
    await laptop.sync();
    await desktop.sync();
    expect(['x', 'Templates', 'o'].map((each) => desktop.has(each))).toEqual([false, true, true]);
  });
});
