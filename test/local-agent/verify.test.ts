import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { store } from '#local-agent/contents.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { acknowledgeIncidents } from '#local-agent/incidents.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { Problem } from '#local-agent/verify/problem.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { entryHash, LedgerEntry, makeEntry } from '#protocol/ledger-entry.ts';
import type { LedgerStore } from '#protocol/ports.ts';
import { notePath } from '#protocol/vault-state.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;
/** Sent; its note is in Done/. */
let done: string;
/** Waits for approval. */
let open: string;

beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
  put('Handbook.md', 'My name is Robin.');
  put('Journal/short.md', 'short');
  put('Journal/long.md', 'x'.repeat(20_000));
  done = await world.draft('lunch');
  await syncVault(world.agent);
  await approveTask(world.agent, done, { method: 'command' });
  await executeApproved(world.agent);
  open = await world.draft('dinner');
  await syncVault(world.agent);
});
afterEach(() => {
  world.dispose();
});

function put(vaultPath: string, text: string | Uint8Array): void {
  mkdirSync(path.dirname(path.join(world.vault, vaultPath)), { recursive: true });
  writeFileSync(path.join(world.vault, vaultPath), text);
}

function entryAt(n: number): LedgerEntry {
  return LedgerEntry.parse(world.ledger.rows[n - 1]?.entry);
}

/** Puts something else under a number of the table. */
function replaceRow(n: number, entry: unknown): void {
  const row = world.ledger.rows[n - 1];
  if (!row) throw new Error(`there is no entry ${n}`);
  row.entry = entry;
}

function last(): number {
  return world.ledger.rows.length;
}

function entryOf(kind: string): number {
  const found = world.ledger.rows.find(({ entry }) => LedgerEntry.parse(entry).kind === kind);
  if (!found) throw new Error(`there is no entry of kind ${kind}`);
  return found.n;
}

function blobOf(vaultPath: string): string {
  const content = world.agent.session.state.files.get(vaultPath)?.content;
  if (!content || !('blob' in content)) throw new Error(`${vaultPath} is no blob`);
  return content.pack?.id ?? content.blob;
}

function noteOf(taskId: string): string {
  const task = world.agent.session.state.tasks.get(taskId);
  return (task && notePath(task)) ?? 'no note';
}

async function problems(agent = world.restart()): Promise<readonly Problem[]> {
  return (await verifyVault(agent)).problems;
}

describe('a vault in order', () => {
  it('verifies, with what was read in figures and nothing to say', async () => {
    const seen: [string, number][] = [];
    const progress = (what: string, count: number): void => void seen.push([what, count]);
    const report = await verifyVault(world.restart(), { progress });
    expect(report).toMatchObject({ ok: true, problems: [], notices: [], tasks: 2, files: 5, contents: 1 });
    expect(report.entries).toBe(last());
    expect(seen).toContainEqual(['entries', last()]);
    expect(seen).toContainEqual(['contents', 1]);
  });

  it('has notices that are no problems: open conflicts, new files, contents not read again', async () => {
    await verifyVault(world.agent);
    put('Journal/new.md', 'new');
    const bytes = Buffer.from('mine');
    const content = { sha256: sha256Hex(bytes), sizeBytes: 4, text: 'mine' };
    const copy = 'Conflicts/short (laptop 12345678).md';
    const body = { kind: 'conflict', path: 'Journal/short.md', copy, content } as const;
    await world.agent.session.append(() => ({ ring: 'private', body }));
    put(copy, bytes);
    const report = await verifyVault(world.agent, { quick: true });
    expect(report.problems).toEqual([]);
    expect(report.notices.map(({ code }) => code).sort()).toEqual(['conflict', 'skipped', 'unsynced']);
  });
});

describe('a ledger that was tampered with is named by its first bad entry', () => {
  const edits: readonly (readonly [string, (n: number) => void])[] = [
    ['its time', (n) => replaceRow(n, { ...entryAt(n), at: '2026-11-20T08:00:00.000Z' })],
    ['its writer', (n) => replaceRow(n, { ...entryAt(n), writer: 'desktop' })],
    ['its body', (n) => replaceRow(n, { ...entryAt(n), body: entryAt(n - 1).body })],
    ['its signature', (n) => replaceRow(n, { ...entryAt(n), sig: entryAt(n - 1).sig })],
    ['its link', (n) => replaceRow(n, { ...entryAt(n), prev: entryHash(entryAt(n)) })],
    ['its form', (n) => replaceRow(n, { n })],
  ];
  it.each(edits)('edited: %s', async (_what, edit) => {
    edit(4);
    expect(await problems()).toMatchObject([{ code: 'ledger', n: 4 }]);
    // By a machine that never saw it before, too.
    expect(await problems(world.machine('desktop').agent)).toMatchObject([{ code: 'ledger', n: 4 }]);
  });

  it('removed', async () => {
    world.ledger.rows.splice(3, 1);
    expect(await problems()).toMatchObject([{ code: 'ledger', n: 4 }]);
  });

  it('reordered', async () => {
    const [a, b] = [entryAt(4), entryAt(5)];
    replaceRow(4, b);
    replaceRow(5, a);
    expect(await problems()).toMatchObject([{ code: 'ledger', n: 4 }]);
  });

  it('forked: another signed entry in the place of one that this machine saw', async () => {
    const n = last();
    const [keys] = world.agent.keys.keyring;
    if (!keys) throw new Error('no keys');
    const cloud = {
      vaultId: 'v-test',
      writer: 'cloud',
      signingKey: world.cloudKey,
      keyring: [{ keyEpoch: 1, shared: keys.shared }],
    };
    const body = {
      kind: 'task' as const,
      changes: [{ taskId: open, epoch: 1, event: 'quarantined' as const, reason: 'another history' }],
    };
    const head = { n: n - 1, hash: entryHash(entryAt(n - 1)) };
    replaceRow(n, makeEntry(head, { body }, cloud, { at: entryAt(n).at, attempt: 'another' }));
    expect(await problems()).toMatchObject([{ code: 'copy', n }]);
    await expect(syncVault(world.restart())).rejects.toThrow('not the one that was seen before');
  });

  it('damaged on this machine alone, where its own copy is', async () => {
    const db = new DatabaseSync(path.join(path.dirname(world.vault), 'ledger.db'));
    db.exec(`UPDATE entries SET entry = replace(entry, '"epoch":1', '"epoch":7') WHERE n = 6`);
    db.exec(`UPDATE entries SET entry = replace(entry, '2026', '2025') WHERE n = 4`);
    db.close();
    expect(await problems(world.agent)).toMatchObject([{ code: 'copy-damaged', n: 4 }]);
  });

  it('cut after this machine saw the tail', async () => {
    const n = last();
    world.ledger.rows.splice(n - 2, 2);
    expect(await problems()).toMatchObject([{ code: 'copy', n: n - 1 }]);
    await expect(executeApproved(world.restart())).rejects.toThrow('was seen before');
  });

  it('cut before this machine saw the tail, by the machine that did', async () => {
    const desktop = world.machine('desktop').agent;
    await syncVault(desktop);
    const n = await world.forge('cloud', {
      kind: 'task',
      changes: [{ taskId: open, epoch: 1, event: 'quarantined' }],
    });
    await syncVault(desktop);
    world.ledger.rows.splice(n - 1);
    expect(await problems(world.restart())).toEqual([]);
    expect(await problems(desktop)).toMatchObject([{ code: 'copy', n }]);
  });

  it('served as it was before', async () => {
    const n = last();
    const { ledger } = world;
    const old: LedgerStore = {
      append: (entry) => ledger.append(entry),
      read: async (vaultId, after) => {
        const { entries } = await ledger.read(vaultId, after);
        return { entries: entries.slice(0, Math.max(0, n - 2 - after)), more: false };
      },
    };
    expect(await problems(world.restart({ ledger: old }))).toMatchObject([{ code: 'copy', n: n - 1 }]);
  });
});

describe('stored contents', () => {
  it('that are missing are named with path and entry', async () => {
    world.blobs.blobs.delete(blobOf('Journal/long.md'));
    const n = world.agent.session.state.files.get('Journal/long.md')?.n;
    expect(await problems()).toMatchObject([{ code: 'content-missing', path: 'Journal/long.md', n }]);
  });

  it('that were altered are named', async () => {
    const id = blobOf('Journal/long.md');
    const sealed = Uint8Array.from(world.blobs.blobs.get(id) ?? []);
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    world.blobs.blobs.set(id, sealed);
    expect(await problems()).toMatchObject([{ code: 'content-altered', path: 'Journal/long.md' }]);
  });

  it('that were swapped between two paths are both named', async () => {
    put('Journal/other.md', 'y'.repeat(20_000));
    await syncVault(world.agent);
    const { blobs } = world.blobs;
    const [a, b] = [blobOf('Journal/long.md'), blobOf('Journal/other.md')];
    const [bytesA, bytesB] = [blobs.get(a), blobs.get(b)];
    if (!bytesA || !bytesB) throw new Error('arranged badly');
    blobs.set(a, bytesB).set(b, bytesA);
    expect((await problems()).map(({ code, path: name }) => `${code} ${name ?? ''}`)).toEqual([
      'content-altered Journal/long.md',
      'content-altered Journal/other.md',
    ]);
  });

  it('that are a piece of a pack are named alone; a pack that is gone is named piece by piece', async () => {
    for (let i = 10; i < 20; i += 1) put(`Journal/piece ${i}.md`, `${i}`.repeat(6_000));
    await syncVault(world.agent);
    const content = world.agent.session.state.files.get('Journal/piece 15.md')?.content;
    if (!content || !('blob' in content) || !content.pack) throw new Error('there is no pack');
    const { id, offset, sizeBytes } = content.pack;
    const pack = Uint8Array.from(world.blobs.blobs.get(id) ?? []);
    pack.fill(0, offset + 100, offset + sizeBytes);
    world.blobs.blobs.set(id, pack);
    expect(await problems()).toMatchObject([{ code: 'content-altered', path: 'Journal/piece 15.md' }]);
    world.blobs.blobs.delete(id);
    const gone = await problems();
    expect(gone).toHaveLength(10);
    expect(new Set(gone.map(({ code }) => code))).toEqual(new Set(['content-missing']));
  });

  it('of the history count as well as those of today', async () => {
    const old = blobOf('Journal/long.md');
    put('Journal/long.md', 'short now');
    await syncVault(world.agent);
    world.blobs.blobs.delete(old);
    expect(await problems()).toMatchObject([{ code: 'content-missing', path: 'Journal/long.md' }]);
  });

  it('of an entry of which a part came too late count as far as it took effect', async () => {
    const kept = await store(world.agent, Buffer.from('k'.repeat(20_000)), 'private');
    const lost = await store(world.agent, Buffer.from('l'.repeat(20_000)), 'private');
    const n = await world.agent.session.append(() => ({
      ring: 'private',
      body: {
        kind: 'files',
        changes: [
          { op: 'put', path: 'Journal/kept.md', content: kept },
          // Another machine was first.
          { op: 'put', path: 'Journal/short.md', base: sha256Hex('before'), content: lost },
        ],
      },
    }));
    if (!n.appended || !('blob' in kept) || !('blob' in lost)) throw new Error('arranged badly');
    await syncVault(world.agent);
    expect(await problems()).toEqual([]);
    world.blobs.blobs.delete(lost.blob);
    expect(await problems()).toEqual([]);
    world.blobs.blobs.delete(kept.blob);
    expect(await problems()).toMatchObject([
      { code: 'content-missing', path: 'Journal/kept.md', n: n.entry.n },
    ]);
  });

  it('are not read again by a quick look, and their loss is found by a full one', async () => {
    await verifyVault(world.agent);
    world.blobs.blobs.delete(blobOf('Journal/long.md'));
    expect(await verifyVault(world.agent, { quick: true })).toMatchObject({ ok: true });
    expect(await verifyVault(world.agent)).toMatchObject({ ok: false });
  });
});

describe('a file of the vault', () => {
  it('that is missing, altered (same size and time or not) or stray is named by its path', async () => {
    const file = path.join(world.vault, 'Handbook.md');
    put('Handbook.md', readFileSync(file, 'utf8').replace('Robin', 'Robyn'));
    rmSync(path.join(world.vault, noteOf(open)));
    put('Pending_Approval/nobody.md', 'a stray note');
    expect((await problems()).map(({ code, path: name }) => [code, name])).toEqual([
      ['vault-differs', 'Handbook.md'],
      ['vault-missing', noteOf(open)],
      ['vault-stray', 'Pending_Approval/nobody.md'],
    ]);
  });

  it('with a link in its place is named, and not followed', async () => {
    rmSync(path.join(world.vault, 'Handbook.md'));
    symlinkSync('/etc/hostname', path.join(world.vault, 'Handbook.md'));
    const report = await verifyVault(world.restart());
    expect([...report.problems, ...report.notices]).toMatchObject([{ path: 'Handbook.md' }]);
  });
});

describe("a task's item", () => {
  async function itemOf(taskId: string): Promise<NonNullable<Awaited<ReturnType<typeof world.tasks.get>>>> {
    const item = await world.tasks.get(taskId);
    if (!item) throw new Error('no item');
    return item;
  }

  it.each([
    ['is gone', 'task-missing', undefined],
    ['is behind', 'task-behind', { epoch: 0 }],
    ['has a holder that nobody knows', 'task-owner', { owner: 'stranger' }],
    ['is held here and nothing runs', 'task-held', { owner: 'laptop', state: 'executing' }],
    ['is in another state', 'task-state', { state: 'approved' }],
  ] as const)('that %s is named', async (_what, code, change) => {
    if (change) world.tasks.items.set(open, { ...(await itemOf(open)), ...change });
    else world.tasks.items.delete(open);
    expect(await problems()).toMatchObject([{ code, taskId: open, path: noteOf(open) }]);
  });

  it('may be at work elsewhere this very moment', async () => {
    world.tasks.items.set(open, { ...(await itemOf(open)), owner: 'desktop', epoch: 9, state: 'executing' });
    expect(await problems()).toEqual([]);
  });
});

describe('an effect', () => {
  it('that this machine made and the ledger does not have is named', async () => {
    world.agent.copy.journal(`${open}-7`, { stage: 'called' });
    expect(await problems()).toMatchObject([{ code: 'effect', taskId: open }]);
  });

  it('that the ledger has as a success of this machine, and this machine never made, is named', async () => {
    const { intent, result } = world.agent.session.state.tasks.get(done) ?? {};
    world.agent.copy.journal(intent?.idempotencyKey ?? '', { stage: 'prepared' });
    expect(await problems()).toMatchObject([{ code: 'effect-unmade', taskId: done, n: result?.n }]);
  });

  it('begun a second time upon one approval is an incident, by whichever key', async () => {
    const { rows } = world.ledger;
    const intent = rows[entryOf('intent') - 1];
    const statement = world.agent.session.state.tasks.get(done)?.approval?.approval.statement;
    if (!intent || !statement) throw new Error('arranged badly');
    const n = await world.forge(
      'local',
      {
        kind: 'intent',
        owner: 'laptop',
        nonce: statement.nonce,
        actionsDigest: statement.actionsDigest,
        actionIndex: 0,
        tool: 'email/send',
        idempotencyKey: `${done}-99`,
      },
      { taskId: done, epoch: 99 },
    );
    expect(await problems()).toMatchObject([{ code: 'incident', n, taskId: done }]);
  });
});

describe('an incident', () => {
  async function incident(): Promise<number> {
    return world.forge('cloud', {
      kind: 'task',
      changes: [{ taskId: open, epoch: 9, event: 'succeeded' }],
    });
  }

  it('fails the proof until a person has acknowledged it, and is listed after that', async () => {
    const n = await incident();
    expect(await verifyVault(world.agent)).toMatchObject({ ok: false, problems: [{ code: 'incident', n }] });
    expect(await acknowledgeIncidents(world.agent, [n], 'a test')).toEqual([n]);
    const after = await verifyVault(world.restart());
    expect(after).toMatchObject({ ok: true, problems: [], notices: [{ code: 'acknowledged', n }] });
    const { length } = world.ledger.rows;
    expect(await acknowledgeIncidents(world.agent, [n], 'again')).toEqual([]);
    expect(world.ledger.rows).toHaveLength(length);
    const other = await incident();
    expect(await verifyVault(world.agent)).toMatchObject({ ok: false, problems: [{ n: other }] });
  });

  it('is the only thing that can be acknowledged, and only once it is there', async () => {
    await expect(acknowledgeIncidents(world.agent, [2], 'x')).rejects.toThrow('entry 2 is no refused entry');
    const beforehand = last() + 2;
    await world.forge('local', {
      kind: 'override',
      reason: 'beforehand',
      what: { of: 'incident', entries: [beforehand] },
    });
    expect(await incident()).toBe(beforehand);
    expect(await verifyVault(world.agent)).toMatchObject({ ok: false, problems: [{ n: beforehand }] });
  });

  it('cannot be acknowledged by the cloud', async () => {
    const n = await incident();
    const second = await world.forge('cloud', {
      kind: 'override',
      reason: 'nothing to see',
      what: { of: 'incident', entries: [n] },
    });
    const found = (await problems(world.agent)).map((problem) => problem.n);
    expect(found).toEqual([n, second]);
  });
});
