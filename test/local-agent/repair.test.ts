import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { claimTask } from '#local-agent/claims/claim-task.ts';
import { ownerReport } from '#local-agent/claims/owner-report.ts';
import { releaseTask, transferTask } from '#local-agent/claims/release-task.ts';
import { store } from '#local-agent/contents.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { putBack } from '#local-agent/repair/put-back.ts';
import { repairVault } from '#local-agent/repair/repair-vault.ts';
import type { RepairReport } from '#local-agent/repair/repair-vault.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { TaskItemError } from '#protocol/errors.ts';
import { LedgerEntry, openBody } from '#protocol/ledger-entry.ts';
import { notePath } from '#protocol/vault-state.ts';
import { CrashError, crashingPorts } from '#test/support/crash-ports.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { waitingTask } from '#test/support/waiting-task.ts';

let world: LocalWorld;
/** Sent; its note is in Done/. */
let done: string;
/** Waits for approval. */
let open: string;

beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
  await arrange(world);
});
afterEach(() => {
  world.dispose();
});

async function arrange(into: LocalWorld): Promise<void> {
  put('Handbook.md', 'My name is Robin.', into.vault);
  put('Journal/short.md', 'short', into.vault);
  put('Journal/long.md', 'x'.repeat(20_000), into.vault);
  done = await into.draft('lunch');
  await syncVault(into.agent);
  await approveTask(into.agent, done, { method: 'command' });
  await executeApproved(into.agent);
  open = await into.draft('dinner');
  await syncVault(into.agent);
}

function put(vaultPath: string, text: string, vault = world.vault): void {
  mkdirSync(path.dirname(path.join(vault, vaultPath)), { recursive: true });
  writeFileSync(path.join(vault, vaultPath), text);
}

function read(vaultPath: string, vault = world.vault): string {
  return readFileSync(path.join(vault, vaultPath), 'utf8');
}

function noteOf(taskId: string): string {
  const task = world.agent.session.state.tasks.get(taskId);
  return (task && notePath(task)) ?? 'no note';
}

function blobOf(vaultPath: string): string {
  const content = world.agent.session.state.files.get(vaultPath)?.content;
  if (!content || !('blob' in content)) throw new Error(`${vaultPath} is no blob`);
  return content.pack?.id ?? content.blob;
}

function filesIn(vault: string): string[] {
  return readdirSync(vault, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => path.relative(vault, path.join(item.parentPath, item.name)));
}

/** The codes of the repairs that the ledger tells of. */
function recorded(): string[] {
  return world.ledger.rows.flatMap(({ entry }) => {
    const body = openBody(LedgerEntry.parse(entry), world.agent.keys.keyring);
    return body?.kind === 'override' && body.what.of === 'repair' ? [body.what.code.split(' ')[0] ?? ''] : [];
  });
}

/** Plans, which changes nothing; acts; and is done: the proof is clean and a second run plans nothing. */
async function mended(
  agent: Agent,
  options: Omit<Parameters<typeof repairVault>[1], 'act'> = {},
): Promise<RepairReport> {
  const before = JSON.stringify([world.ledger.rows, [...world.tasks.items], [...world.blobs.blobs.keys()]]);
  const plan = await repairVault(agent, { ...options, act: false });
  expect(plan.done).toEqual([]);
  expect(plan.planned).not.toEqual([]);
  expect(JSON.stringify([world.ledger.rows, [...world.tasks.items], [...world.blobs.blobs.keys()]])).toBe(
    before,
  );

  const report = await repairVault(agent, { ...options, act: true });
  expect(report).toMatchObject({ ok: true, planned: [], failed: [], left: [] });
  expect((await verifyVault(world.restart())).problems).toEqual([]);
  const { length } = world.ledger.rows;
  expect(await repairVault(world.restart(), { act: true })).toMatchObject({ ok: true, done: [] });
  expect(world.ledger.rows).toHaveLength(length);
  expect(await syncVault(world.restart())).toMatchObject({ pushed: 0, applied: 0 });
  return report;
}

function codes(report: RepairReport): string[] {
  return report.done.map(({ code }) => code);
}

it('a vault in order needs no repair, and none is written', async () => {
  const { length } = world.ledger.rows;
  expect(await repairVault(world.agent, { act: true })).toEqual({
    ok: true,
    planned: [],
    done: [],
    failed: [],
    left: [],
  });
  expect(world.ledger.rows).toHaveLength(length);
});

describe('files', () => {
  it('that are gone from the vault come back, and a repair is an entry', async () => {
    rmSync(path.join(world.vault, 'Journal'), { recursive: true });
    rmSync(path.join(world.vault, noteOf(open)));
    const report = await mended(world.restart());
    expect(codes(report)).toEqual(['vault-files']);
    expect(report.done[0]?.paths).toEqual(['Journal/long.md', 'Journal/short.md', noteOf(open)]);
    expect(read('Journal/short.md')).toBe('short');
    expect(read(noteOf(open))).toContain('Tuesday');
    expect(recorded()).toEqual(['vault-files']);
  });

  it('that differ go into the ledger by a sync', async () => {
    put('Handbook.md', 'My name is Robyn.');
    expect(codes(await mended(world.restart()))).toEqual(['sync']);
    expect(read('Handbook.md')).toBe('My name is Robyn.');
  });

  it('that stray among the tasks are taken up by a sync', async () => {
    put('Pending_Approval/nobody.md', 'a stray note');
    expect(codes(await mended(world.restart()))).toEqual(['sync']);
    expect(filesIn(world.vault).some((name) => read(name).includes('a stray note'))).toBe(true);
  });
});

describe('a vault that is lost', () => {
  it('comes back into its folder once that is named, and nothing is deleted or sent again', async () => {
    rmSync(world.vault, { recursive: true });
    const agent = world.restart();
    const plan = await repairVault(agent, { act: true });
    expect(plan).toMatchObject({ ok: false, done: [], left: [{ code: 'vault-missing' }] });
    expect(plan.left[0]?.fix).toContain(`employee repair --restore-vault ${world.vault}`);
    expect(existsSync(world.vault)).toBe(false);
    await expect(repairVault(agent, { act: true, restoreVault: '/elsewhere' })).rejects.toThrow(
      'not /elsewhere',
    );

    expect(codes(await mended(agent, { restoreVault: world.vault }))).toEqual(['vault']);
    expect(read('Journal/long.md')).toHaveLength(20_000);
    expect(read(noteOf(done))).toContain('Tuesday');
    expect(world.tools.calls).toHaveLength(1);
  });

  it('keeps what stands in the folder already: equal files are agreed, different ones kept twice', async () => {
    rmSync(path.join(world.vault, '.employee-vault'));
    rmSync(path.join(world.vault, 'Handbook.md'));
    put('Journal/short.md', 'another version');
    await mended(world.restart(), { restoreVault: world.vault });
    const texts = filesIn(world.vault)
      .filter((name) => /short/.test(name))
      .map((name) => read(name));
    expect(texts.sort()).toEqual(['another version', 'short']);
    expect(read('Handbook.md')).toBe('My name is Robin.');
  });

  it('does not void an approval that waits to be carried out', async () => {
    await approveTask(world.agent, open, { method: 'command' });
    rmSync(world.vault, { recursive: true });
    await mended(world.restart(), { restoreVault: world.vault });
    expect(world.restart().session.state.tasks.get(open)?.state).toBe('approved');
  });

  it('is not taken from another ledger', async () => {
    writeFileSync(path.join(world.vault, '.employee-vault'), '{"vaultId":"another"}');
    await expect(
      repairVault(world.restart(), { act: true, restoreVault: world.vault }),
    ).resolves.toMatchObject({
      ok: false,
      failed: [{ repair: { code: 'vault' } }],
    });
  });
});

describe('stored contents', () => {
  it.each([
    ['missing', () => void world.blobs.blobs.delete(blobOf('Journal/long.md'))],
    ['altered', () => void world.blobs.blobs.set(blobOf('Journal/long.md'), new Uint8Array(200))],
  ])('that are %s are stored again from this disk', async (_what, harm) => {
    harm();
    expect(codes(await mended(world.restart()))).toEqual(['contents']);
    const desktop = world.machine('desktop');
    await syncVault(desktop.agent);
    expect(read('Journal/long.md', desktop.vault)).toHaveLength(20_000);
  });

  it.each(['altered', 'cut short', 'gone'])(
    'in a pack that is %s come back into their places',
    async (harm) => {
      for (let i = 10; i < 20; i += 1) put(`Journal/piece ${i}.md`, `${i}`.repeat(6_000));
      await syncVault(world.agent);
      const content = world.agent.session.state.files.get('Journal/piece 15.md')?.content;
      if (!content || !('blob' in content) || !content.pack) throw new Error('there is no pack');
      const { id, offset, sizeBytes } = content.pack;
      const pack = Uint8Array.from(world.blobs.blobs.get(id) ?? []);
      if (harm === 'altered') world.blobs.blobs.set(id, pack.fill(0, offset + 100, offset + sizeBytes));
      else if (harm === 'cut short') world.blobs.blobs.set(id, pack.slice(0, offset + 10));
      else world.blobs.blobs.delete(id);
      expect(codes(await mended(world.restart()))).toEqual(['contents']);
      const desktop = world.machine('desktop');
      await syncVault(desktop.agent);
      for (let i = 10; i < 20; i += 1) {
        expect(read(`Journal/piece ${i}.md`, desktop.vault)).toBe(`${i}`.repeat(6_000));
      }
    },
  );

  it('are not put where no pack reaches, whatever an entry says', async () => {
    const bytes = Buffer.from('x'.repeat(20_000));
    const content = await store(world.agent, bytes, 'private');
    if (!('blob' in content)) throw new Error('arranged badly');
    const pack = { id: content.blob, offset: 2 ** 50, sizeBytes: 20_093 };
    const wanted = [{ content: { ...content, pack }, ring: 'private', n: 1, of: 'a.md', bytes }] as const;
    await expect(putBack(world.agent, pack.id, wanted)).rejects.toMatchObject({ code: 'SEAL' });
  });

  it('come back from the machine that has them, and with them the file on the one that had not', async () => {
    const desktop = world.machine('desktop');
    await syncVault(desktop.agent);
    world.blobs.blobs.delete(blobOf('Journal/long.md'));
    rmSync(path.join(world.vault, 'Journal', 'long.md'));
    const here = await repairVault(world.restart(), { act: true });
    expect(here.ok).toBe(false);
    expect(here.left.map(({ code }) => code)).toContain('content-missing');
    expect(await repairVault(desktop.restart(), { act: true })).toMatchObject({ ok: true });
    await mended(world.restart());
    expect(read('Journal/long.md')).toHaveLength(20_000);
  });

  it('that exist nowhere any more are written down as lost, once a person says so', async () => {
    const content = world.agent.session.state.files.get('Journal/long.md')?.content;
    world.blobs.blobs.delete(blobOf('Journal/long.md'));
    rmSync(path.join(world.vault, 'Journal', 'long.md'));
    const left = await repairVault(world.restart(), { act: true });
    expect(left.left[0]?.fix).toContain(`--accept-loss ${content?.sha256 ?? ''}`);
    await mended(world.restart(), { acceptLoss: [content?.sha256 ?? ''] });
    expect(recorded()).toContain('content-lost');
    expect(world.restart().session.state.files.has('Journal/long.md')).toBe(false);
  });
});

describe("tasks' items", () => {
  it.each([
    ['gone', undefined],
    ['behind', { epoch: 0 }],
    ['held by a stranger', { owner: 'stranger', state: 'executing' }],
    ['held here while nothing runs', { owner: 'laptop', state: 'executing' }],
    ['in another state', { state: 'approved' }],
  ] as const)(
    'that are %s are put in line with the ledger, and can be worked with',
    async (_what, change) => {
      const item = await world.tasks.get(open);
      if (!item) throw new Error('no item');
      if (change) world.tasks.items.set(open, { ...item, ...change });
      else world.tasks.items.delete(open);
      expect(codes(await mended(world.restart()))).toEqual(['task-item']);
      const now = await world.tasks.get(open);
      expect(now).toMatchObject({ state: 'pending_approval' });
      expect(now?.owner).toBeUndefined();
      expect(now?.epoch).toBeGreaterThanOrEqual(item.epoch);
      const agent = world.restart();
      await approveTask(agent, open, { method: 'command' });
      expect((await executeApproved(agent)).executed).toMatchObject([{ taskId: open, outcome: 'succeeded' }]);
      expect(world.tools.calls).toHaveLength(2);
    },
  );

  it('of a draft whose claim is lost go back to be drafted again', async () => {
    const taskId = await world.draft('third');
    await world.forge('local', { kind: 'task', changes: [{ taskId, epoch: 1, event: 'redraft' }] });
    await world.forge('cloud', {
      kind: 'task',
      changes: [{ taskId, epoch: 2, event: 'draft_started', owner: 'cloud' }],
    });
    await syncVault(world.agent);
    world.tasks.items.delete(taskId);
    expect(codes(await mended(world.restart()))).toEqual(['draft', 'task-item']);
    expect(await world.tasks.get(taskId)).toMatchObject({ state: 'needs_action', home: 'cloud', epoch: 3 });
  });

  it('F46 of a draft that a person is at are made with their holder, who goes on', async () => {
    const taskId = await waitingTask(world, 'mine');
    await syncVault(world.agent);
    const desktop = world.machine('desktop').agent;
    await syncVault(desktop);
    await claimTask(desktop, taskId);
    world.tasks.items.clear();
    expect(codes(await mended(world.restart()))).not.toContain('draft');
    expect(await ownerReport(world.restart(), taskId)).toMatchObject({
      agree: true,
      ledger: { owner: 'desktop', state: 'drafting', epoch: 1 },
      item: { owner: 'desktop', state: 'drafting', epoch: 1 },
    });
    // A lease goes with it: from a machine that is gone the task can be had.
    expect((await world.tasks.get(taskId))?.leaseMs).toBeGreaterThan(60_000);
    await transferTask(desktop, taskId, 'laptop');
    const laptop = world.restart();
    await syncVault(laptop);
    await releaseTask(laptop, taskId, 'pending_approval');
    expect(await world.tasks.get(taskId)).toMatchObject({ state: 'pending_approval', epoch: 2 });
  });

  it('that somebody took since the plan was made are left to whoever works on them', async () => {
    const taskId = await waitingTask(world, 'mine');
    await syncVault(world.agent);
    const item = await world.tasks.get(taskId);
    if (!item) throw new Error('no item');
    world.tasks.items.set(taskId, { ...item, state: 'approved' });
    const { tasks } = world;
    let looks = 0;
    const agent = world.restart({
      tasks: {
        ...tasks,
        get: async (id) => {
          // The desktop claims it right after the repair has seen it.
          if (id === taskId && ++looks === 2) await claimTask(world.machine('desktop').agent, taskId);
          return tasks.get(id);
        },
      },
    });
    expect((await repairVault(agent, { act: true })).ok).toBe(true);
    expect(await world.tasks.get(taskId)).toMatchObject({ owner: 'desktop', state: 'drafting' });
  });

  it('that cannot be read are named with what to do, and keep nothing else from being mended', async () => {
    const { tasks } = world;
    const odd = await waitingTask(world, 'odd');
    await syncVault(world.agent);
    tasks.items.delete(open);
    const agent = world.restart({
      tasks: {
        ...tasks,
        get: (id) => (id === odd ? Promise.reject(new TaskItemError('delete it')) : tasks.get(id)),
      },
    });
    const report = await repairVault(agent, { act: true });
    expect(report.left).toMatchObject([{ code: 'task-unreadable', taskId: odd, message: 'delete it' }]);
    expect(report.done).toMatchObject([{ code: 'task-item', taskId: open }]);
  });

  it('of every task, when the table is lost', async () => {
    world.tasks.items.clear();
    await mended(world.restart());
    expect(await world.tasks.get(open)).toMatchObject({ state: 'pending_approval' });
    expect(world.tools.calls).toHaveLength(1);
  });
});

describe('what is never mended', () => {
  it('a ledger that is not whole: nothing is planned upon it, and nothing is written', async () => {
    const row = world.ledger.rows[3];
    if (!row) throw new Error('arranged badly');
    row.entry = { ...LedgerEntry.parse(row.entry), at: '2026-11-20T08:00:00.000Z' };
    world.tasks.items.clear();
    const report = await repairVault(world.restart(), { act: true });
    expect(report).toMatchObject({ ok: false, planned: [], done: [], left: [{ code: 'ledger', n: 4 }] });
    expect(world.tasks.items.size).toBe(0);
  });

  it('an incident, and a call that the ledger does not know: both are for a person', async () => {
    const n = await world.forge('cloud', {
      kind: 'task',
      changes: [{ taskId: open, epoch: 9, event: 'succeeded' }],
    });
    world.agent.copy.journal(`${open}-7`, { stage: 'called' });
    const report = await repairVault(world.restart(), { act: true });
    expect(report).toMatchObject({
      ok: false,
      done: [],
      left: [{ code: 'incident', n }, { code: 'effect' }],
    });
  });

  it('approvals, intents and results: a repair appends none', async () => {
    world.tasks.items.clear();
    rmSync(world.vault, { recursive: true });
    const { length } = world.ledger.rows;
    await mended(world.restart(), { restoreVault: world.vault });
    const kinds = world.ledger.rows.slice(length).map(({ entry }) => LedgerEntry.parse(entry).kind);
    expect(new Set(kinds)).toEqual(new Set(['override']));
  });
});

it('a repair that dies at any call is ended by the next one', { timeout: 120_000 }, async () => {
  const harm = (): void => {
    rmSync(world.vault, { recursive: true });
    world.tasks.items.delete(open);
    world.blobs.blobs.delete(blobOf('Journal/long.md'));
  };
  const options = { act: true, restoreVault: world.vault };
  // The bytes are still on the desktop, which stores them again in the end.
  await syncVault(world.machine('desktop').agent);
  harm();
  const { calls, ports } = crashingPorts(world.agent, { at: 0, when: 'before' });
  await repairVault(world.restart(ports), options);
  const total = calls();
  expect(total).toBeGreaterThan(10);
  for (let at = 1; at <= total; at += 3) {
    world.dispose();
    world = await createLocalWorld(['laptop', 'desktop']);
    await arrange(world);
    const desktop = world.machine('desktop');
    await syncVault(desktop.agent);
    harm();
    const dying = world.restart(
      crashingPorts(world.agent, { at, when: at % 2 === 0 ? 'before' : 'after' }).ports,
    );
    await repairVault(dying, { ...options, restoreVault: world.vault }).catch((error: unknown) => {
      if (!(error instanceof CrashError)) throw error;
    });
    expect((await repairVault(desktop.restart(), { act: true })).ok, `died at ${at}`).toBe(true);
    const last = await repairVault(world.restart(), { ...options, restoreVault: world.vault });
    expect(last, `died at ${at}`).toMatchObject({ ok: true });
    expect((await verifyVault(world.restart())).problems, `died at ${at}`).toEqual([]);
    expect(read('Journal/long.md')).toHaveLength(20_000);
    expect(world.tools.calls).toHaveLength(1);
  }
});
