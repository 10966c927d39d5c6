import { afterEach, describe, expect, it } from 'vitest';
import { syncVault } from '#local-agent/sync/sync.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { crashingPorts, CrashError } from '#test/support/crash-ports.ts';
import { createMemoryMachines } from '#test/support/memory-machines.ts';
import type { MemoryMachine, MemoryMachines } from '#test/support/memory-machines.ts';

let machines: MemoryMachines | undefined;

afterEach(() => {
  machines?.dispose();
  machines = undefined;
});

const LINES = 'one\ntwo\nthree\nfour\nfive\n';

type Person = MemoryMachine['files']['person'];

/** Something that was agreed on, and what each person made of it; desktop's sync is the one that dies. */
interface Scene {
  readonly name: string;
  readonly before: Readonly<Record<string, string>>;
  readonly laptop: (person: Person) => void;
  readonly desktop: (person: Person) => void;
}

function swap(person: Person, a: string, b: string): void {
  person.move(a, '.t');
  person.move(b, a);
  person.move('.t', b);
}

const SCENES: readonly Scene[] = [
  {
    name: 'edits, a rename and a deletion on both sides',
    before: { 'a.md': 'a', 'b.md': 'b', 'c.md': 'c', 'd.md': 'd', 'e.md': 'e', 'Templates/t.md': 't' },
    laptop: (p) => (p.save('a.md', 'A'), p.move('b.md', 'x/b.md'), p.remove('c.md'), p.save('n.md', 'new')),
    desktop: (p) => (
      p.save('d.md', 'D'),
      p.move('e.md', 'y/e.md'),
      p.move('Templates/t.md', 't.md'),
      p.save('m.md', 'm')
    ),
  },
  {
    name: 'a merge, a conflict and two new files of one name',
    before: { 'm.md': LINES, 'c.md': LINES },
    laptop: (p) => (
      p.save('m.md', LINES.replace('one', 'ONE')),
      p.save('c.md', 'here'),
      p.save('n.md', 'here')
    ),
    desktop: (p) => (
      p.save('m.md', LINES.replace('five', 'FIVE')),
      p.save('c.md', 'there'),
      p.save('n.md', 'there')
    ),
  },
  {
    name: 'files that changed places on one side and were edited on the other',
    before: { 'a.md': LINES, 'b.md': 'b', 'x.md': 'x', 'y.md': 'y' },
    laptop: (p) => (swap(p, 'a.md', 'b.md'), p.save('x.md', 'X')),
    desktop: (p) => (p.save('a.md', LINES.replace('one', 'ONE')), swap(p, 'x.md', 'y.md')),
  },
  {
    name: 'a chain, and names that are taken',
    before: { 'a.md': 'a', 'b.md': 'b', 'q.md': 'q', 'r.md': 'r' },
    laptop: (p) => (p.move('b.md', 'c.md'), p.move('a.md', 'b.md'), p.move('q.md', 'z.md')),
    desktop: (p) => (p.move('r.md', 'z.md'), p.move('q.md', 'w.md'), p.save('a.md', 'edited')),
  },
  {
    name: 'a folder for a file, and a file for a folder',
    before: { a: 'a', 'f/g.md': 'g' },
    laptop: (p) => (p.save('a', 'edited'), p.remove('f/g.md'), p.clearFolder('f'), p.save('f', 'file')),
    desktop: (p) => (p.remove('a'), p.save('a/b.md', 'below'), p.save('f/g.md', 'edited')),
  },
];

async function arrange({ before, laptop, desktop }: Scene): Promise<MemoryMachines> {
  const made = await createMemoryMachines();
  for (const [path, text] of Object.entries(before)) made.laptop.files.person.save(path, text);
  await syncVault(made.laptop.agent);
  await syncVault(made.desktop.agent);
  laptop(made.laptop.files.person);
  desktop(made.desktop.files.person);
  await syncVault(made.laptop.agent);
  return made;
}

/** Both in step; a further sync writes nothing. @returns the tree of both. */
async function settle(
  { world, laptop, desktop }: MemoryMachines,
  where: string,
): Promise<Record<string, string>> {
  for (const machine of [desktop, laptop, desktop]) await syncVault(machine.agent);
  expect(laptop.tree(), where).toEqual(desktop.tree());
  const entries = world.ledger.rows.length;
  for (const { agent } of [laptop, desktop]) {
    expect(await syncVault(agent), where).toMatchObject({ applied: 0, pushed: 0, conflicts: [] });
  }
  expect(world.ledger.rows.length, where).toBe(entries);
  return laptop.tree();
}

describe('a sync that dies at any call of any port (FAILURES 28)', () => {
  it.each(SCENES)('leads to the same end after two restarts: $name', { timeout: 60_000 }, async (scene) => {
    machines = await arrange(scene);
    const quiet = crashingPorts(machines.desktop.agent, { at: 0, when: 'before' });
    await syncVault(machines.desktop.start(quiet.ports));
    const total = quiet.calls();
    machines.desktop.agent = machines.desktop.start();
    const end = await settle(machines, 'undisturbed');
    machines.dispose();
    expect(total).toBeGreaterThan(8);
    for (let at = 1; at <= total; at++) {
      for (const when of ['before', 'after'] as const) {
        const where = `died ${when} call ${at} of ${total}`;
        machines = await arrange(scene);
        const { desktop } = machines;
        const dying = desktop.start(crashingPorts(desktop.agent, { at, when }).ports);
        await expect(syncVault(dying), where).rejects.toThrow(CrashError);
        // The second one dies a little later, the third one comes through.
        const again = desktop.start(crashingPorts(desktop.start(), { at: 5, when }).ports);
        await syncVault(again).catch(() => undefined);
        desktop.agent = desktop.start();
        expect(await settle(machines, where), where).toEqual(end);
        machines.dispose();
      }
    }
    machines = undefined;
  });
});

describe('replies that are lost (FAILURES 29)', () => {
  it.each(SCENES)('change nothing in the end: $name', { timeout: 60_000 }, async (scene) => {
    machines = await arrange(scene);
    await syncVault(machines.desktop.agent);
    const end = await settle(machines, 'undisturbed');
    machines.dispose();
    for (let lost = 1; lost <= 8; lost++) {
      machines = await arrange(scene);
      const { desktop, world } = machines;
      let calls = 0;
      const lossy = async <T>(result: Promise<T>): Promise<T> => {
        const value = await result;
        if (++calls === lost) throw new Error('socket hang up');
        return value;
      };
      const agent = desktop.start({
        ledger: {
          append: (entry) => lossy(world.ledger.append(entry)),
          read: (vaultId, after) => lossy(world.ledger.read(vaultId, after)),
        },
        blobs: {
          put: (id, sealed) => lossy(world.blobs.put(id, sealed)),
          get: (id, part) => lossy(world.blobs.get(id, part)),
        },
      });
      await syncVault(agent).catch(() => undefined);
      desktop.agent = desktop.start();
      expect(await settle(machines, `reply ${lost} lost`)).toEqual(end);
      machines.dispose();
    }
    machines = undefined;
  });
});

describe('a person who works on while a sync runs (FAILURES 27)', () => {
  /** Laptop's change comes to desktop while the person there saves the same file at every step there is. */
  it.each(['edited', 'removed', 'renamed'] as const)(
    'loses nothing, wherever in the sync a file is %s',
    { timeout: 60_000 },
    async (what) => {
      for (let at = 1; ; at++) {
        machines = await createMemoryMachines();
        const { laptop, desktop } = machines;
        const { person } = desktop.files;
        for (const path of ['a.md', 'b.md', 'c.md']) laptop.files.person.save(path, LINES);
        await syncVault(laptop.agent);
        await syncVault(desktop.agent);
        laptop.files.person.save('a.md', LINES.replace('one', 'ONE'));
        laptop.files.person.save('b.md', 'all new');
        await syncVault(laptop.agent);
        person.save('c.md', 'mine');
        let steps = 0;
        desktop.onStep = () => {
          if (++steps !== at) return;
          if (what === 'edited')
            for (const path of ['a.md', 'b.md', 'c.md'])
              person.save(path, `${person.text(path) ?? ''}saved at ${at}\n`);
          else if (what === 'removed') person.remove('b.md');
          else for (const path of ['a.md', 'b.md', 'c.md']) person.move(path, `moved/${path}`);
        };
        await syncVault(desktop.agent);
        desktop.onStep = undefined;
        const tree = await settle(machines, `${what} at step ${at}`);
        const texts = Object.values(tree).join('\n');
        expect(texts, `laptop's edit, ${what} at step ${at}`).toContain('ONE');
        expect(texts, `desktop's edit, ${what} at step ${at}`).toContain('mine');
        if (what === 'edited')
          expect(texts.split(`saved at ${at}`).length - 1, `step ${at}`).toBe(steps < at ? 0 : 3);
        if (what === 'renamed' && steps >= at)
          expect(Object.keys(tree).filter((path) => path.startsWith('moved/'))).toHaveLength(3);
        machines.dispose();
        machines = undefined;
        if (steps < at) break;
        expect(at).toBeLessThan(200);
      }
    },
  );

  it('who makes 50 files during a sync finds all of them synced by the next', async () => {
    machines = await createMemoryMachines();
    const { laptop, desktop } = machines;
    laptop.files.person.save('a.md', 'a');
    let steps = 0;
    laptop.onStep = () => {
      if (++steps <= 50) laptop.files.person.save(`made/${steps}.md`, `number ${steps}`);
    };
    for (let i = 0; i < 12; i++) await syncVault(laptop.agent);
    laptop.onStep = undefined;
    expect(Object.keys(await settle(machines, 'fifty files'))).toHaveLength(51);
    expect(desktop.tree()['made/50.md']).toBe('number 50');
  });
});

describe('a merge whose entry went out before its machine died', () => {
  it('is not merged again with itself, and both versions that went into it are in history', async () => {
    machines = await arrange({
      name: 'merge',
      before: { 'm.md': LINES },
      laptop: (p) => p.save('m.md', LINES.replace('two', 'TWO')),
      desktop: (p) => p.save('m.md', LINES.replace('four', 'FOUR')),
    });
    const { desktop, world } = machines;
    const merged = LINES.replace('two', 'TWO').replace('four', 'FOUR');
    // Dies right after the entry: neither the note of it nor the file was written.
    const ledger: typeof world.ledger = {
      ...world.ledger,
      append: async (entry) => (await world.ledger.append(entry), Promise.reject(new CrashError('died'))),
      read: (vaultId, after) =>
        world.ledger.rows.length > 3
          ? Promise.reject(new CrashError('died'))
          : world.ledger.read(vaultId, after),
    };
    await expect(syncVault(desktop.start({ ledger }))).rejects.toThrow(CrashError);
    expect(desktop.tree()['m.md']).toBe(LINES.replace('four', 'FOUR'));
    desktop.agent = desktop.start();
    const entries = world.ledger.rows.length;
    expect(await settle(machines, 'after the merge')).toEqual({ 'm.md': merged });
    expect(world.ledger.rows.length).toBe(entries);
    const own = sha256Hex(LINES.replace('four', 'FOUR'));
    expect(desktop.agent.copy.contentAt(entries, own)).toBeDefined();
  });
});
