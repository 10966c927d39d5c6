import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConflicts } from '#local-agent/conflicts.ts';
import { resolveConflict } from '#local-agent/resolve-conflict.ts';
import type { ConflictChoice } from '#local-agent/resolve-conflict.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { CrashError } from '#test/support/crash-ports.ts';
import { createTwoMachines } from '#test/support/two-machines.ts';
import type { Tree, TwoMachines } from '#test/support/two-machines.ts';

const COPY = `Conflicts/a (desktop ${sha256Hex('there').slice(0, 8)}).md`;

let machines: TwoMachines;

beforeEach(async () => {
  machines = await createTwoMachines({ 'a.md': 'before', 'b.md': 'b' });
  machines.laptop.put('a.md', 'here');
  machines.desktop.put('a.md', 'there');
  await machines.settle();
});
afterEach(() => machines.dispose());

describe('an open conflict', () => {
  it('is listed on both machines, with whose version is where', () => {
    const { laptop, desktop } = machines;
    const common = {
      path: 'a.md',
      copy: COPY,
      writer: 'desktop',
      kept: { sha256: sha256Hex('there'), sizeBytes: 5 },
      standing: { sha256: sha256Hex('here'), sizeBytes: 4 },
    };
    expect(openConflicts(laptop.agent)).toMatchObject([{ ...common, isOurs: false }]);
    expect(openConflicts(desktop.agent)).toMatchObject([{ ...common, isOurs: true }]);
  });

  const cases: [string, 'laptop' | 'desktop', ConflictChoice, Tree, string | undefined][] = [
    ['ours where the copy is ours', 'desktop', 'ours', { 'a.md': 'there', 'b.md': 'b' }, 'here'],
    ['theirs where the copy is ours', 'desktop', 'theirs', { 'a.md': 'here', 'b.md': 'b' }, 'there'],
    ['ours where the copy is theirs', 'laptop', 'ours', { 'a.md': 'here', 'b.md': 'b' }, 'there'],
    ['theirs where the copy is theirs', 'laptop', 'theirs', { 'a.md': 'there', 'b.md': 'b' }, 'here'],
    ['both', 'laptop', 'both', { 'a.md': 'here', 'b.md': 'b', [COPY]: 'there' }, undefined],
  ];
  it.each(cases)('is settled by a choice: %s', async (_name, who, choice, tree, lost) => {
    const { agent } = machines[who];
    const resolution = await resolveConflict(agent, who === 'laptop' ? 'a.md' : COPY, choice);
    expect(await machines.settle(who)).toEqual(tree);
    expect(openConflicts(machines.laptop.agent)).toEqual([]);
    expect(agent.copy.entryAt(resolution.n)).toMatchObject({
      kind: 'override',
      writer: who,
      ring: 'private',
    });
    expect(resolution.superseded?.sha256).toBe(lost === undefined ? undefined : sha256Hex(lost));
    if (resolution.superseded) {
      const { n, sha256 } = resolution.superseded;
      expect(agent.copy.contentAt(n, sha256)).toMatchObject({ text: lost });
    }
    await expect(resolveConflict(agent, 'a.md', choice)).rejects.toThrow('no open conflict');
  });

  it('is settled by deleting the copy, or by giving it another name', async () => {
    machines.laptop.remove(COPY);
    expect(await machines.settle()).toEqual({ 'a.md': 'here', 'b.md': 'b' });
    expect(openConflicts(machines.desktop.agent)).toEqual([]);
  });

  it('is settled by moving the copy over the file', async () => {
    machines.laptop.move(COPY, 'a.md');
    expect(await machines.settle()).toEqual({ 'a.md': 'there', 'b.md': 'b' });
    expect(openConflicts(machines.desktop.agent)).toEqual([]);
  });

  it('stays open while its copy is worked on; the work is not lost by a choice', async () => {
    machines.laptop.put(COPY, 'there, and more');
    await machines.settle();
    expect(openConflicts(machines.desktop.agent)).toHaveLength(1);
    expect(await resolveConflict(machines.laptop.agent, 'a.md', 'ours')).toMatchObject({ copyStays: true });
    expect(await machines.settle()).toEqual({ 'a.md': 'here', 'b.md': 'b', [COPY]: 'there, and more' });
  });

  it('is settled right when the machine dies between the contents and the choice', async () => {
    const { world, desktop } = machines;
    let appended = 0;
    const agent = desktop.restart({
      ledger: {
        append: async (entry) => {
          if (++appended > 1) throw new CrashError('died');
          return world.ledger.append(entry);
        },
        read: (vaultId, after) =>
          appended > 1 ? Promise.reject(new CrashError('died')) : world.ledger.read(vaultId, after),
      },
    });
    await expect(resolveConflict(agent, 'a.md', 'ours')).rejects.toThrow(CrashError);
    desktop.restart();
    expect(openConflicts(desktop.agent)).toHaveLength(1);
    await resolveConflict(desktop.agent, 'a.md', 'ours');
    expect(await machines.settle()).toEqual({ 'a.md': 'there', 'b.md': 'b' });
  });

  it('that two machines settle at once is settled once; the second is told', async () => {
    const { laptop, desktop, world } = machines;
    const racing = laptop.restart({
      ledger: {
        append: async (entry) => {
          if (entry.kind === 'override' && world.ledger.rows.length < 8)
            await resolveConflict(desktop.agent, 'a.md', 'both');
          return world.ledger.append(entry);
        },
        read: (vaultId, after) => world.ledger.read(vaultId, after),
      },
    });
    await expect(resolveConflict(racing, 'a.md', 'ours')).rejects.toThrow('settled elsewhere');
    laptop.restart();
    expect(await machines.settle()).toEqual({ 'a.md': 'here', 'b.md': 'b', [COPY]: 'there' });
  });

  it('of a file that somebody deleted meanwhile can bring it back, or let it go', async () => {
    machines.laptop.remove('a.md');
    await machines.settle();
    expect(openConflicts(machines.desktop.agent)).toMatchObject([{ standing: null }]);
    await resolveConflict(machines.desktop.agent, 'a.md', 'ours');
    expect(await machines.settle()).toEqual({ 'a.md': 'there', 'b.md': 'b' });
  });

  it('one of several about a file is named by its copy', async () => {
    machines.laptop.put('a.md', 'here again');
    machines.desktop.put('a.md', 'there again');
    await machines.settle();
    await expect(resolveConflict(machines.laptop.agent, 'a.md', 'ours')).rejects.toThrow(
      '2 open conflicts; name one by its copy',
    );
    await resolveConflict(machines.laptop.agent, COPY, 'theirs');
    expect(machines.laptop.read('a.md')).toBe('there');
    expect(openConflicts(machines.laptop.agent)).toHaveLength(1);
  });
});
