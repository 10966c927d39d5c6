import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { notePath } from '#protocol/vault-state.ts';
import { createLocalWorld, mailRecord } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;

beforeEach(async () => {
  world = await createLocalWorld();
});
afterEach(() => {
  world.dispose();
});

function put(vaultPath: string, text: string): void {
  mkdirSync(path.dirname(path.join(world.vault, vaultPath)), { recursive: true });
  writeFileSync(path.join(world.vault, vaultPath), text);
}

function read(vaultPath: string): string {
  return readFileSync(path.join(world.vault, vaultPath), 'utf8');
}

function ledgerFile(vaultPath: string): string | undefined {
  return world.agent.session.state.files.get(vaultPath)?.content.sha256;
}

describe("the owner's files", () => {
  it('go into the ledger once, standing orders for both zones and all else for the owner alone', async () => {
    put('Handbook.md', 'My name is Robin.');
    put('Journal/today.md', 'private thoughts');
    expect(await syncVault(world.agent)).toMatchObject({ pushed: 2 });
    await world.cloud.pull();
    expect([...world.cloud.state.files.keys()]).toEqual(['Handbook.md']);
    expect(ledgerFile('Journal/today.md')).toBe(sha256Hex('private thoughts'));
    const { length } = world.ledger.rows;
    expect(await syncVault(world.agent)).toMatchObject({ pushed: 0, applied: 0 });
    expect(world.ledger.rows).toHaveLength(length);
  });

  it('come back on a machine that has lost them, and an edit there goes up', async () => {
    put('Handbook.md', 'one');
    await syncVault(world.agent);
    put('Handbook.md', 'two');
    await syncVault(world.agent);
    expect(ledgerFile('Handbook.md')).toBe(sha256Hex('two'));
    rmSync(path.join(world.vault, 'Handbook.md'));
    await syncVault(world.agent);
    expect(ledgerFile('Handbook.md')).toBeUndefined();
  });

  it('larger than an entry holds travel as sealed blobs', async () => {
    put('Journal/long.md', 'x'.repeat(100_000));
    await syncVault(world.agent);
    expect(JSON.stringify(world.ledger.rows).length).toBeLessThan(10_000);
    expect(await verifyVault(world.agent)).toMatchObject({ ok: true });
  });

  it('that look like secrets stay here and are named', async () => {
    put('secrets/plan.md', 'x');
    put('.env', 'x');
    put('Journal/keys.md', `AKIA${'Z2XY'.repeat(4)}`);
    put('Journal/fine.md', 'fine');
    symlinkSync('/etc/hostname', path.join(world.vault, 'Journal', 'link.md'));
    const report = await syncVault(world.agent);
    expect(report.withheld.map(({ path: name }) => name).sort()).toEqual([
      'Journal/keys.md',
      'Journal/link.md',
      'secrets/plan.md',
    ]);
    expect([...world.agent.session.state.files.keys()]).toEqual(['Journal/fine.md']);
  });

  it('that vanish by the dozen stop the sync', async () => {
    for (let i = 0; i < 12; i++) put(`Journal/${i}.md`, `${i}`);
    await syncVault(world.agent);
    rmSync(path.join(world.vault, 'Journal'), { recursive: true });
    await expect(syncVault(world.agent)).rejects.toThrow('12 of 12 files are gone');
    expect(ledgerFile('Journal/3.md')).toBeDefined();
  });
});

describe("a task's note", () => {
  it('stands where its state says and follows it', async () => {
    const taskId = await world.draft();
    await syncVault(world.agent);
    const task = world.agent.session.state.tasks.get(taskId);
    expect(task && notePath(task)).toMatch(/^Pending_Approval\/2026-11-21 About lunch \(t[0-9a-f]{7}\)\.md$/);
    expect(read((task && notePath(task)) ?? '')).toContain('Tuesday suits me.');
  });

  it('that a person edits is what the ledger holds then', async () => {
    const taskId = await world.draft();
    await syncVault(world.agent);
    const place = pathOf(taskId);
    put(place, read(place).replace('Tuesday', 'Thursday'));
    expect(await syncVault(world.agent)).toMatchObject({ pushed: 1, conflicts: [] });
    await world.cloud.pull();
    const content = world.cloud.state.tasks.get(taskId)?.note?.content;
    expect(content && 'text' in content && content.text).toContain('Thursday');
  });

  it('that is deleted comes back, and is explained', async () => {
    const taskId = await world.draft();
    await syncVault(world.agent);
    rmSync(path.join(world.vault, pathOf(taskId)));
    expect((await syncVault(world.agent)).explained.join()).toContain('not by deleting it');
    expect(read(pathOf(taskId))).toContain('Tuesday');
  });

  it('that is copied about stands in one place, and different copies are kept', async () => {
    const taskId = await world.draft();
    await syncVault(world.agent);
    const place = pathOf(taskId);
    put(place.replace('Pending_Approval', 'Done'), read(place));
    put(place.replace('Pending_Approval', 'Approved'), `${read(place)}more`);
    const report = await syncVault(world.agent);
    expect(report.wishes).toEqual([]);
    expect(existsSync(path.join(world.vault, place.replace('Pending_Approval', 'Approved')))).toBe(false);
    const kept = [...world.agent.session.state.files.keys()].concat(report.conflicts);
    expect(
      kept.some((name) => name.startsWith('Conflicts/')) || existsSync(path.join(world.vault, 'Conflicts')),
    ).toBe(true);
    expect(read(place)).not.toContain('more');
  });

  it('dragged to a folder where it has no right to be goes back', async () => {
    const taskId = await world.draft();
    await syncVault(world.agent);
    const place = pathOf(taskId);
    mkdirSync(path.join(world.vault, 'Done'), { recursive: true });
    renameSync(
      path.join(world.vault, place),
      path.join(world.vault, place.replace('Pending_Approval', 'Done')),
    );
    expect((await syncVault(world.agent)).explained.join()).toContain('put back');
    expect(existsSync(path.join(world.vault, place))).toBe(true);
  });

  it('dragged into Rejected is rejected', async () => {
    const taskId = await world.draft();
    await syncVault(world.agent);
    const place = pathOf(taskId);
    mkdirSync(path.join(world.vault, 'Rejected'), { recursive: true });
    renameSync(
      path.join(world.vault, place),
      path.join(world.vault, place.replace('Pending_Approval', 'Rejected')),
    );
    expect((await syncVault(world.agent)).wishes).toMatchObject([{ wish: 'reject', outcome: 'rejected' }]);
    expect((await world.tasks.get(taskId))?.state).toBe('rejected');
  });
});

describe('a folder that is not the vault', () => {
  it('is left alone when the sentinel is missing or of another vault', async () => {
    const sentinel = path.join(world.vault, '.employee-vault');
    writeFileSync(sentinel, '{"vaultId":"other"}');
    await expect(syncVault(world.agent)).rejects.toThrow('another ledger');
    rmSync(sentinel);
    await expect(syncVault(world.agent)).rejects.toThrow('is no vault');
  });
});

describe('a ledger that was tampered with', () => {
  it('is named by verify, entry by entry, even where sync need not read again', async () => {
    await world.draft();
    await syncVault(world.agent);
    const row = world.ledger.rows[1];
    if (!row) throw new Error('arranged badly');
    const entry = row.entry as { at: string };
    row.entry = { ...entry, at: entry.at.replace('2026', '2025') };
    expect(await verifyVault(world.agent)).toMatchObject({ ok: false, problems: [{ code: 'ledger', n: 2 }] });
    await expect(syncVault(world.agent)).resolves.toMatchObject({ head: 3 });
  });

  it('that lost its tail is noticed by the next sync', async () => {
    await world.draft();
    await syncVault(world.agent);
    world.ledger.rows.pop();
    await expect(syncVault(world.agent)).rejects.toThrow('was seen before');
    expect(
      (await verifyVault(world.agent)).problems.some((problem) => problem.message.includes('is gone')),
    ).toBe(true);
  });
});

function pathOf(taskId: string): string {
  const task = world.agent.session.state.tasks.get(taskId);
  return (task && notePath(task)) ?? 'no note';
}

describe('the page of the day', () => {
  it('says what came and what was left out, and is never carried', async () => {
    await world.draft();
    const mail = mailRecord('offer [[x]]');
    const taskId = taskIdOfMail('offer');
    await world.forge('cloud', {
      kind: 'task',
      changes: [
        { taskId, epoch: 0, event: 'created', state: 'ignored', reason: 'It advertises something.', mail },
      ],
    });
    await syncVault(world.agent);
    const page = read('Briefings/2026-11-21.md');
    expect(page).toContain('2 mails came in.');
    expect(page).toMatch(/## Waits for you\n\n- \[\[Pending_Approval\/.*\|About lunch\]\]/);
    expect(page).toMatch(
      /## Left out\n\n- \*\*About offer x\*\* from alice@pinewood.example .*: It advertises something\./,
    );
    expect([...world.agent.session.state.files.keys()]).toEqual([]);
    expect(await syncVault(world.agent)).toMatchObject({ applied: 0, pushed: 0 });
  });

  it("is the person's once the person has edited it", async () => {
    await world.draft();
    await syncVault(world.agent);
    put('Briefings/2026-11-21.md', 'my own words');
    await world.draft('second');
    await syncVault(world.agent);
    expect(read('Briefings/2026-11-21.md')).toBe('my own words');
    expect(ledgerFile('Briefings/2026-11-21.md')).toBe(sha256Hex('my own words'));
  });
});
