import { afterEach, describe, expect, it } from 'vitest';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { SyncProgress } from '#local-agent/sync/progress.ts';
import { createMemoryMachines } from '#test/support/memory-machines.ts';
import type { MachineName, MemoryMachines } from '#test/support/memory-machines.ts';

let machines: MemoryMachines;

afterEach(() => machines.dispose());

/** What a sync of a machine asks of the cloud. */
async function callsOf(name: MachineName): Promise<string[]> {
  const { world } = machines;
  const calls: string[] = [];
  const count = <T>(call: string, result: Promise<T>): Promise<T> => (calls.push(call), result);
  const agent = machines[name].start({
    ledger: {
      append: (entry) => count('append', world.ledger.append(entry)),
      read: (vaultId, after) => count('read', world.ledger.read(vaultId, after)),
    },
    blobs: {
      put: (id, sealed) => count('put', world.blobs.put(id, sealed)),
      get: (id, part) => count('get', world.blobs.get(id, part)),
    },
    tasks: new Proxy(world.tasks, {
      get: (_target, member) => () => count(String(member), Promise.resolve(undefined)),
    }),
  });
  await syncVault(agent);
  machines[name].agent = machines[name].start();
  return calls;
}

async function start(files: number): Promise<void> {
  machines = await createMemoryMachines();
  for (let n = 0; n < files; n++)
    machines.laptop.files.person.save(`Notes/${n % 20}/${n}.md`, `note ${n}\n`.repeat(200));
  await syncVault(machines.laptop.agent);
  await syncVault(machines.desktop.agent);
}

describe('the calls of a sync', () => {
  it('where nothing changed: one read', async () => {
    await start(50);
    expect(await callsOf('laptop')).toEqual(['read']);
    expect(await callsOf('desktop')).toEqual(['read']);
  });

  it('of one edited note: two up, one down', async () => {
    await start(50);
    machines.laptop.files.person.save('Notes/1/1.md', 'edited');
    expect(await callsOf('laptop')).toEqual(['read', 'append']);
    expect(await callsOf('desktop')).toEqual(['read']);
  });

  it('of 100 edits, 10 renames and 10 deletions: at most five up, and at most five down', async () => {
    await start(300);
    const { person } = machines.laptop.files;
    for (let n = 0; n < 100; n++) person.save(`Notes/${n % 20}/${n}.md`, `edited ${n}\n`.repeat(200));
    for (let n = 100; n < 110; n++) person.move(`Notes/${n % 20}/${n}.md`, `Moved/${n}.md`);
    for (let n = 110; n < 120; n++) person.remove(`Notes/${n % 20}/${n}.md`);
    const up = await callsOf('laptop');
    expect(up.length, up.join()).toBeLessThanOrEqual(5);
    const down = await callsOf('desktop');
    expect(down.length, down.join()).toBeLessThanOrEqual(5);
    expect(machines.desktop.tree()).toEqual(machines.laptop.tree());
  });

  it(
    'of a first upload of 3,000 notes, and of their way to another machine: a handful',
    { timeout: 60_000 },
    async () => {
      await start(0);
      for (let n = 0; n < 3000; n++)
        machines.laptop.files.person.save(`Notes/${n % 50}/${n}.md`, `note ${n}\n`.repeat(150));
      const up = await callsOf('laptop');
      expect(up.length, up.join()).toBeLessThanOrEqual(12);
      const down = await callsOf('desktop');
      expect(down.length, down.join()).toBeLessThanOrEqual(12);
      expect(machines.desktop.tree()).toEqual(machines.laptop.tree());
      expect(
        Math.max(...machines.world.ledger.rows.map(({ entry }) => JSON.stringify(entry).length)),
      ).toBeLessThan(390_000);
    },
  );
});

it('long work says how far it has come, path by path', async () => {
  await start(0);
  const seen: SyncProgress[] = [];
  const progress = (step: SyncProgress): void => void seen.push(step);
  for (let n = 0; n < 5; n++) machines.laptop.files.person.save(`${n}.md`, `note ${n}`);
  await syncVault(machines.laptop.start({ progress }));
  await syncVault(machines.desktop.start({ progress }));
  for (const stage of ['scan', 'upload', 'download', 'apply'] as const) {
    const steps = seen.filter((step) => step.stage === stage);
    expect(
      steps.map(({ total }) => total),
      stage,
    ).toEqual([5, 5, 5, 5, 5]);
    expect(steps.map((step) => step.path).sort()).toEqual(['0.md', '1.md', '2.md', '3.md', '4.md']);
  }
});
