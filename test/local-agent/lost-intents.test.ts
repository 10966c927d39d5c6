import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { lostIntentsOf } from '#local-agent/lost-intents.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { archivedObject } from '#protocol/archive.ts';
import { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { ArchiveReader } from '#protocol/ports.ts';
import type { Task } from '#protocol/task.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { createMemoryArchive } from '#test/support/memory/memory-archive.ts';
import type { MemoryArchive } from '#test/support/memory/memory-archive.ts';

let world: LocalWorld;
let archive: MemoryArchive;
let lunch: string;
let backup: { readonly rows: number; readonly items: ReadonlyMap<string, Task> };
const copies: LedgerCopy[] = [];

beforeEach(async () => {
  world = await createLocalWorld(['laptop']);
  archive = createMemoryArchive();
  lunch = await world.draft('lunch');
  await syncVault(world.agent);
});
afterEach(() => {
  for (const copy of copies.splice(0)) copy.close();
  world.dispose();
});

/** Lets the archive follow the ledger. */
async function follow(): Promise<void> {
  for (const { vaultId, n, entry } of world.ledger.rows)
    await archive.put(archivedObject({ change: 'insert', vaultId, n, image: entry, sequence: String(n) }));
}

function backUp(): void {
  backup = { rows: world.ledger.rows.length, items: structuredClone(world.tasks.items) };
}

/** Puts ledger and items back to the backup; the machine begins with a copy that holds nothing. */
async function putBack(
  ports: { readonly archive?: ArchiveReader } = { archive },
  begin: (agent: Agent) => Promise<unknown> = syncVault,
): Promise<Agent> {
  await follow();
  world.ledger.rows.splice(backup.rows);
  world.tasks.items.clear();
  for (const [taskId, item] of structuredClone(backup.items)) world.tasks.items.set(taskId, item);
  return restarted(ports, begin);
}

async function restarted(
  ports: { readonly archive?: ArchiveReader },
  begin: (agent: Agent) => Promise<unknown> = syncVault,
): Promise<Agent> {
  const copy = new LedgerCopy(':memory:', world.agent.keys.keyring);
  copies.push(copy);
  const agent = world.restart({ copy, ...ports });
  await begin(agent);
  return agent;
}

const keysOf = (): unknown[] => world.tools.calls.map(({ args }) => args['idempotencyKey']);

describe('ledger, items and copy come back from before an execution', () => {
  beforeEach(async () => {
    await approveTask(world.agent, lunch, { method: 'command' });
    backUp();
    await executeApproved(world.agent);
    expect(keysOf()).toEqual([`${lunch}-2`]);
  });

  it('the archive knows of it: nothing is done again, and the person is asked, in the note, too', async () => {
    const agent = await putBack();
    const { executed, refused } = await executeApproved(agent);
    expect(executed).toEqual([]);
    expect(refused).toMatchObject([
      { taskId: lunch, why: expect.stringContaining('the archive says') as string },
    ]);
    expect(world.tools.calls).toHaveLength(1);
    expect(agent.session.state.tasks.get(lunch)).toMatchObject({ state: 'pending_approval' });
    expect(world.tasks.items.get(lunch)?.state).toBe('pending_approval');
    const path = agent.copy.noteAt(lunch)?.path ?? '';
    expect(Buffer.from((await agent.files.read(path)) ?? []).toString()).toContain('Look what was sent');
  });

  it('what the person approves again then is done, under a key that was never used', async () => {
    const agent = await putBack();
    await executeApproved(agent);
    await expect(approveTask(agent, lunch, { method: 'command' })).rejects.toThrow('--again');
    await approveTask(agent, lunch, { method: 'command', again: true });
    expect((await executeApproved(agent)).executed).toMatchObject([{ outcome: 'succeeded' }]);
    expect(keysOf()).toEqual([`${lunch}-2`, `${lunch}-3`]);
  });

  it('an archive that cannot be read lets nothing run, and costs no approval', async () => {
    let isDenied = true;
    const agent = await putBack({
      archive: {
        ...archive,
        read: async (name) => {
          if (isDenied) throw new Error('not authorized to perform: s3:GetObject');
          return archive.read(name);
        },
      },
    });
    await expect(executeApproved(agent)).rejects.toThrow('s3:GetObject');
    expect(agent.session.state.tasks.get(lunch)?.state).toBe('approved');
    isDenied = false;
    expect((await executeApproved(agent)).executed).toEqual([]);
    expect(world.tools.calls).toHaveLength(1);
  });

  it('an intent that opens with no key at hand may be of this approval', async () => {
    const agent = await putBack();
    const [name = ''] = await lostNames(agent);
    const entry = LedgerEntry.parse(JSON.parse(Buffer.from(await archive.read(name)).toString()));
    archive.objects.set(name, Buffer.from(JSON.stringify({ ...entry, keyEpoch: 9 })));
    const again = await restarted({ archive });
    expect(await lostIntentsOf(again, lunch)).toEqual([{ taskId: lunch, name, epoch: 2 }]);
    expect((await executeApproved(again)).refused).toMatchObject([{ taskId: lunch }]);
    await approveTask(again, lunch, { method: 'command', again: true });
    expect((await executeApproved(again)).executed).toHaveLength(1);
  });

  it('what is no entry at all is no intent', async () => {
    const agent = await putBack();
    const names = await lostNames(agent);
    for (const name of names) archive.objects.set(name, Buffer.from('{"kind":"intent"'));
    const again = await restarted({ archive });
    expect(await lostIntentsOf(again, lunch)).toEqual([]);
  });
});

async function lostNames(agent: Agent): Promise<string[]> {
  return (await lostIntentsOf(agent, lunch)).map(({ name }) => name);
}

it('what was approved and carried out in what is lost is approved anew only by who knows that', async () => {
  backUp();
  await approveTask(world.agent, lunch, { method: 'command' });
  await executeApproved(world.agent);
  const agent = await putBack();
  await expect(approveTask(agent, lunch, { method: 'command' })).rejects.toThrow('the archive says');
  expect(agent.session.state.tasks.get(lunch)?.state).toBe('pending_approval');
  await approveTask(agent, lunch, { method: 'command', again: true });
  expect((await executeApproved(agent)).executed).toHaveLength(1);
  expect(keysOf()).toEqual([`${lunch}-2`, `${lunch}-3`]);
});

it('an approval of somebody who could not know yet is no reason: the person is asked first', async () => {
  backUp();
  await approveTask(world.agent, lunch, { method: 'command' });
  await executeApproved(world.agent);
  const ignorant = await putBack({});
  await approveTask(ignorant, lunch, { method: 'command' });
  const agent = await restarted({ archive });
  expect((await executeApproved(agent)).refused).toMatchObject([{ taskId: lunch }]);
  expect(world.tools.calls).toHaveLength(1);
});

it('a table that is put back whole has lost nothing any more, for the process that knew it otherwise, too', async () => {
  backUp();
  await approveTask(world.agent, lunch, { method: 'command' });
  await executeApproved(world.agent);
  const rows = [...world.ledger.rows];
  const agent = await putBack({ archive }, (begun) => begun.session.pull());
  expect(await lostIntentsOf(agent, lunch)).toHaveLength(1);
  world.ledger.rows.splice(0, world.ledger.rows.length, ...rows);
  await agent.session.pull();
  expect(await lostIntentsOf(agent, lunch)).toEqual([]);
});

it('what was lost of one task holds up no other', async () => {
  const dinner = await world.draft('dinner');
  await syncVault(world.agent);
  await approveTask(world.agent, dinner, { method: 'command' });
  backUp();
  await approveTask(world.agent, lunch, { method: 'command' });
  await executeApproved(world.agent);
  expect(keysOf()).toEqual([`${dinner}-2`, `${lunch}-2`]);
  world.tools.calls.splice(0);
  const agent = await putBack();
  const wedding = await world.draft('wedding');
  await syncVault(agent);
  await approveTask(agent, wedding, { method: 'command' });
  const { executed, refused } = await executeApproved(agent);
  expect(executed).toMatchObject([{ taskId: wedding }]);
  expect(refused.map(({ taskId }) => taskId)).toEqual([dinner]);
});

it('asks for the names of what was not compared yet, and for nothing of what the ledger has', async () => {
  const asked: (string | undefined)[] = [];
  const agent = world.restart({
    archive: {
      names: (prefix, after) => {
        asked.push(after);
        return archive.names(prefix, after);
      },
      read: async (name) => {
        throw new Error(`${name} was read`);
      },
    },
  });
  await agent.session.pull();
  for (let i = 0; i < 600; i++)
    await agent.session.append(() => ({
      body: { kind: 'override', what: { of: 'repair', code: 'x' }, reason: `${i}` },
    }));
  await follow();
  const { n } = agent.session.state.head;
  for (let i = 0; i < 3; i++) {
    expect(await lostIntentsOf(agent, lunch)).toEqual([]);
    // At once it asks for nothing.
    expect(await lostIntentsOf(agent, lunch)).toEqual([]);
    world.clock.advance(25 * 3_600_000);
  }
  expect(asked.map((after) => Number(/(\d+)~$/.exec(after ?? '')?.[1]))).toEqual([0, n - 500, n - 500]);
});

it.each([
  ['the daemon itself approves', true],
  ['a command approves, which knows more than the daemon', false],
])('what another machine began after the last look here, and is lost, is found: %s', async (_, isDaemon) => {
  const two = await createLocalWorld(['laptop', 'desktop']);
  const read: string[] = [];
  const counted: ArchiveReader = {
    names: archive.names.bind(archive),
    read: (name) => {
      read.push(name);
      return archive.read(name);
    },
  };
  try {
    const taskId = await two.draft('lunch');
    const [laptop, daemon] = ['laptop', 'desktop'].map((name) =>
      two.machine(name).restart({ archive: counted }),
    );
    if (!laptop || !daemon) throw new Error('there are two');
    for (const agent of [laptop, daemon]) await syncVault(agent);
    expect(await lostIntentsOf(daemon, taskId)).toEqual([]);
    const [rows, items] = [two.ledger.rows.length, structuredClone(two.tasks.items)];
    await approveTask(laptop, taskId, { method: 'command' });
    expect((await executeApproved(laptop)).executed).toMatchObject([{ outcome: 'succeeded' }]);
    for (const { vaultId, n, entry } of two.ledger.rows)
      await archive.put(archivedObject({ change: 'insert', vaultId, n, image: entry, sequence: String(n) }));
    two.ledger.rows.splice(rows);
    two.tasks.items.clear();
    for (const [id, item] of items) two.tasks.items.set(id, item);
    // The desktop has heard of none of it: of all that is left, the archive alone has.
    const approver = isDaemon ? daemon : two.machine('desktop').restart({ archive: counted });
    await expect(approveTask(approver, taskId, { method: 'command' })).rejects.toThrow('--again');
    await approveTask(approver, taskId, { method: 'command', again: true });
    expect((await executeApproved(daemon)).executed).toMatchObject([{ outcome: 'succeeded' }]);
    // Once by each process that had to know.
    expect(read).toHaveLength((isDaemon ? 1 : 2) * new Set(read).size);
    const called = ['laptop', 'desktop'].flatMap((name) => two.machine(name).tools.calls);
    expect(called.map(({ args }) => args['idempotencyKey'])).toEqual([`${taskId}-2`, `${taskId}-3`]);
  } finally {
    two.dispose();
  }
});
