import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCheckpointStart } from '#adapters/checkpoint-start.ts';
import { makeAgent } from '#local-agent/make-agent.ts';
import type { Agent } from '#local-agent/agent.ts';
import { completeHistory } from '#local-agent/complete-history.ts';
import { load } from '#local-agent/contents.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { leanState } from '#local-agent/lean-state.ts';
import { beginAtCheckpoint, keepState, keptState } from '#local-agent/resume.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { writeCheckpoint } from '#local-agent/write-checkpoint.ts';
import { writerOf } from '#local-agent/writer.ts';
import { canonicalJson } from '#protocol/canonical.ts';
import { checkpointHintId, sealHint } from '#protocol/checkpoint.ts';
import { LedgerBody } from '#protocol/ledger-body.ts';
import type { LedgerEntry, Writer } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import { snapshotJson } from '#protocol/state-snapshot.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld, Machine } from '#test/support/local-world.ts';
import { readTree } from '#test/support/vault-tree.ts';

let world: LocalWorld;
let desktop: Machine;

beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
  desktop = world.machine('desktop');
});
afterEach(() => world.dispose());

function comparable(state: VaultState): string {
  return canonicalJson(JSON.parse(snapshotJson(leanState(state))));
}

/** Some life: mails, files of the owner, an end. */
async function someLife(from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    await world.draft(`mail-${i}`);
    writeFileSync(path.join(world.vault, `Diary ${i}.md`), `secret thoughts of day ${i}`);
    writeFileSync(path.join(world.vault, 'Handbook.md'), `Answer politely. (${i})`);
    await syncVault(world.agent);
  }
}

/** The desktop as it starts for the first time. */
async function firstStart(): Promise<Agent> {
  await beginAtCheckpoint(desktop.agent);
  return desktop.restart();
}

function cloudWriter(): Writer {
  const keyring = world.agent.keys.keyring.map(({ keyEpoch, shared }) => ({ keyEpoch, shared }));
  return { vaultId: 'v-test', writer: 'cloud', signingKey: world.cloudKey, keyring };
}

function beginAsCloud(): Promise<VaultState | undefined> {
  return createCheckpointStart(world.blobs, 'shared')(cloudWriter(), world.agent.config.root);
}

describe('a checkpoint', () => {
  it('is written when many entries came since the last one, and only then', async () => {
    await someLife(0, 2);
    const before = world.agent.session.state.head.n;
    expect(await writeCheckpoint(world.agent, before + 1)).toBe(false);
    expect(await writeCheckpoint(world.agent, before)).toBe(true);
    expect(world.agent.session.state).toMatchObject({ head: { n: before + 1 }, checkpointN: before + 1 });
    expect(await writeCheckpoint(world.agent, before)).toBe(false);
    expect(world.agent.session.state.refusals).toEqual([]);
  });

  it('is written by the machine with the root key alone', async () => {
    await someLife(0, 1);
    await desktop.agent.session.pull();
    expect(await writeCheckpoint(desktop.agent, 1)).toBe(false);
  });

  it('gets its hint later when the machine died in between', async () => {
    await someLife(0, 1);
    const id = checkpointHintId(writerOf(world.agent));
    const dying = {
      ...world.agent,
      blobs: {
        ...world.blobs,
        put: (name: string, bytes: Uint8Array) =>
          name === id ? Promise.reject(new Error('died')) : world.blobs.put(name, bytes),
      },
    };
    await expect(writeCheckpoint(dying, 1)).rejects.toThrow('died');
    expect(world.blobs.blobs.has(id)).toBe(false);
    expect(await writeCheckpoint(world.restart(), 100)).toBe(false);
    expect(world.blobs.blobs.has(id)).toBe(true);
  });
});

describe('a further device', () => {
  it('has the whole state at once, and what came after the checkpoint', async () => {
    await someLife(0, 3);
    await writeCheckpoint(world.agent, 1);
    await someLife(3, 4);
    const agent = await firstStart();
    expect(agent.session.state.head.n).toBeGreaterThan(10);
    const read: number[] = [];
    const counted = desktop.restart({
      ledger: {
        append: (entry) => world.ledger.append(entry),
        read: async (vaultId, after) => {
          read.push(after);
          return world.ledger.read(vaultId, after);
        },
      },
    });
    await counted.session.pull();
    expect(comparable(counted.session.state)).toBe(comparable(world.agent.session.state));
    expect(Math.min(...read)).toBeGreaterThan(10);
    const [open] = [...counted.session.state.tasks.values()];
    if (!open?.note) throw new Error('a task is open');
    expect(String(await load(counted, open.note.content, 'shared'))).toContain('Tuesday suits me');
  });

  it('fetches and checks the rest with its first sync, and has all files then', async () => {
    await someLife(0, 3);
    await writeCheckpoint(world.agent, 1);
    const agent = await firstStart();
    expect(agent.copy.begins()).toBeGreaterThan(1);
    await syncVault(agent);
    expect(agent.copy.begins()).toBe(1);
    expect([...agent.copy.entries()].map(({ n }) => n)).toEqual(world.ledger.rows.map(({ n }) => n));
    expect(readTree(desktop.vault).contents).toEqual(readTree(world.vault).contents);
    expect(comparable(desktop.restart().session.state)).toBe(comparable(agent.session.state));
  });

  it('goes on with the rest where it was interrupted', async () => {
    await someLife(0, 3);
    await writeCheckpoint(world.agent, 1);
    await firstStart();
    let pages = 0;
    const short = desktop.restart({
      ledger: {
        append: (entry) => world.ledger.append(entry),
        read: async (vaultId, after) => {
          const page = await world.ledger.read(vaultId, after);
          if (after > 5) return page;
          if (pages++ > 0) throw new Error('the connection is gone');
          return { entries: page.entries.slice(0, 3), more: true };
        },
      },
    });
    await expect(completeHistory(short)).rejects.toThrow('the connection is gone');
    const whole = short.copy.wholeTo();
    expect(whole).toBeGreaterThan(0);
    expect(whole).toBeLessThan(short.copy.begins() - 1);
    const again = desktop.restart();
    await completeHistory(again);
    expect(again.copy.begins()).toBe(1);
    expect(again.copy.wholeTo()).toBe(world.ledger.rows.length);
  });

  it('reads everything afresh when its kept state is of no use any more', async () => {
    await someLife(0, 2);
    await writeCheckpoint(world.agent, 1);
    const { copy } = await firstStart();
    copy.setSnapshot({ n: 1, hash: 'x' }, 'another program', '{}');
    const agent = desktop.restart();
    expect(agent.session.state.head.n).toBe(0);
    await syncVault(agent);
    expect(comparable(agent.session.state)).toBe(comparable(world.agent.session.state));
    expect(agent.copy.begins()).toBe(1);
  });

  it('notices a checkpoint that says another state than the entries make', async () => {
    await someLife(0, 2);
    const { state } = world.agent.session;
    const [task] = [...state.tasks.values()];
    if (!task) throw new Error('there is a task');
    const honest = { ...task };
    task.reason = 'never written by anybody';
    await writeCheckpoint(world.agent, 1);
    state.tasks.set(honest.taskId, honest);
    const agent = await firstStart();
    const says = 'says another state than the entries make';
    // Nor is anything carried out on its word, also where no sync came before.
    await expect(executeApproved(agent)).rejects.toThrow(says);
    await expect(syncVault(agent)).rejects.toThrow(says);
  });

  it('refuses a ledger that does not go on from the checkpoint', async () => {
    await someLife(0, 2);
    await writeCheckpoint(world.agent, 1);
    const agent = await firstStart();
    world.ledger.rows.splice(5);
    await expect(agent.session.pull()).rejects.toThrow('is gone, and was seen before');
  });
});

describe('the cloud zone', () => {
  it('begins at the checkpoint with what it would have replayed, and goes on from there', async () => {
    await someLife(0, 3);
    await writeCheckpoint(world.agent, 1);
    await someLife(3, 4);
    const start = await beginAsCloud();
    if (!start) throw new Error('there is a checkpoint');
    const { ledger, clock } = world;
    const ports = { ledger, clock, ids: { next: () => 'x' } };
    const { root } = world.agent.config;
    const quick = new LedgerSession(cloudWriter(), root, ports, undefined, { start });
    const slow = new LedgerSession(cloudWriter(), root, ports);
    expect(await quick.pull()).toBeLessThan(await slow.pull());
    for (const member of ['tasks', 'files', 'noteNames', 'nonces', 'effects', 'keys', 'head'] as const) {
      expect(quick.state[member], member).toEqual(slow.state[member]);
    }
  });

  it('is told nothing private by it', async () => {
    await someLife(0, 2);
    await writeCheckpoint(world.agent, 1);
    const start = await beginAsCloud();
    expect(start && snapshotJson(start)).not.toMatch(/Diary|secret thoughts/);
    expect([...(start?.files.keys() ?? [])]).toEqual(['Handbook.md']);
    const asPrivate = createCheckpointStart(world.blobs, 'private')(cloudWriter(), world.agent.config.root);
    expect(await asPrivate).toBeUndefined();
  });
});

describe('no checkpoint counts', () => {
  beforeEach(() => someLife(0, 1));

  it('where there is none', async () => {
    expect(await beginAsCloud()).toBeUndefined();
    const agent = await firstStart();
    expect(agent.copy.begins()).toBe(1);
    await agent.session.pull();
    expect(comparable(agent.session.state)).toBe(comparable(world.agent.session.state));
  });

  it.each(['cloud', 'desktop'] as const)('that was signed by %s', async (who) => {
    await writeCheckpoint(world.agent, 1);
    const body = bodyOfLast();
    const session = who === 'cloud' ? world.cloud : desktop.agent.session;
    await session.pull();
    const outcome = await session.append(() => ({ body }));
    if (!outcome.appended) throw new Error('nothing was appended');
    await putHint(outcome.entry);
    expect(await beginAsCloud()).toBeUndefined();
  });

  it('whose hint was altered, or whose snapshot', async () => {
    await writeCheckpoint(world.agent, 1);
    expect(await beginAsCloud()).toBeDefined();
    const entry = lastEntry();
    await putHint({ ...entry, at: '2030-01-01T00:00:00.000Z' });
    expect(await beginAsCloud()).toBeUndefined();
    await putHint(entry);
    for (const bytes of world.blobs.blobs.values()) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await putHint(entry);
    const body = bodyOfLast();
    if (body.kind === 'checkpoint' && 'blob' in body.shared) expect(await beginAsCloud()).toBeUndefined();
  });

  it('that was made by other rules, or of another entry than it says', async () => {
    await writeCheckpoint(world.agent, 1);
    const body = bodyOfLast();
    if (body.kind !== 'checkpoint') throw new Error('the last entry is a checkpoint');
    for (const changes of [{ replay: 99 }, { upTo: 2 }, { hash: 'a'.repeat(64) }]) {
      const outcome = await world.agent.session.append(() => ({ body: { ...body, ...changes } }));
      if (!outcome.appended) throw new Error('nothing was appended');
      await putHint(outcome.entry);
      expect(await beginAsCloud()).toBeUndefined();
    }
  });

  async function putHint(entry: LedgerEntry): Promise<void> {
    const writer = writerOf(world.agent);
    await world.blobs.put(checkpointHintId(writer), sealHint(entry, writer));
  }

  function lastEntry(): LedgerEntry {
    return world.ledger.rows.at(-1)?.entry as LedgerEntry;
  }

  function bodyOfLast(): LedgerBody {
    const replayed: LedgerBody[] = [];
    const session = new LedgerSession(
      writerOf(world.agent),
      world.agent.config.root,
      world.agent,
      ({ body }) => {
        if (body) replayed.push(body);
      },
    );
    for (const { entry } of world.ledger.rows) session.admit(entry);
    const last = replayed.at(-1);
    if (!last) throw new Error('there are entries');
    return last;
  }
});

describe('the state kept with the copy', () => {
  /** A restart that keeps the state, however little was replayed. */
  function kept(): Agent {
    const { copy, session } = world.agent;
    keepState(copy, session.state, Number.POSITIVE_INFINITY);
    return world.restart();
  }

  it('is the state that replaying all would make, and only what came later is replayed', async () => {
    await someLife(0, 3);
    const replayed = comparable(world.agent.session.state);
    expect(comparable(kept().session.state)).toBe(replayed);
    await someLife(3, 4);
    // Were entry 1 replayed, it would fail here.
    const read = vi.spyOn(world.agent.copy, 'entries');
    const { session } = makeAgent(world.agent);
    expect(read.mock.calls[0]?.[0]).toBeGreaterThan(5);
    expect(comparable(session.state)).toBe(comparable(world.agent.session.state));
  });

  it('holds no text of a note, which is fetched when it is asked for', async () => {
    await someLife(0, 1);
    const agent = kept();
    const [task] = [...agent.session.state.tasks.values()];
    if (!task?.note) throw new Error('there is a task');
    const { content } = task.note;
    expect(Object.getOwnPropertyDescriptor(content, 'text')?.value).toBeUndefined();
    expect(String(await load(agent, content, 'shared'))).toContain('Tuesday suits me');
    expect(LedgerBody.parse({ kind: 'task', changes: [{ ...CHANGE, note: task.note }] })).toMatchObject({
      changes: [{ note: { content: { text: expect.stringContaining('Tuesday') as string } } }],
    });
  });

  it('is left aside when another program made it, or the copy has another entry there', async () => {
    await someLife(0, 1);
    const { copy, session } = world.agent;
    const replayed = comparable(session.state);
    kept();
    const { head } = session.state;
    for (const [n, hash, format] of [
      [head.n, head.hash, 'another program'],
      [head.n - 1, head.hash, undefined],
      [head.n, 'a'.repeat(64), undefined],
    ] as const) {
      const database = new DatabaseSync(path.join(path.dirname(world.vault), 'ledger.db'));
      database
        .prepare('UPDATE snapshot SET n = ?, hash = ?, format = coalesce(?, format)')
        .run(n, hash, format ?? null);
      database.close();
      expect(keptState(copy, 'v-test')).toBeUndefined();
      expect(comparable(world.restart().session.state)).toBe(replayed);
      keepState(copy, session.state, Number.POSITIVE_INFINITY);
    }
  });
});

const CHANGE = { taskId: 't0123456789abcdef0123', epoch: 0, event: 'edited' };
