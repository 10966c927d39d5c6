import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { rebuildCopy } from '#local-agent/repair/rebuild-copy.ts';
import { repairVault } from '#local-agent/repair/repair-vault.ts';
import { damageOf, salvage } from '#local-agent/repair/salvage.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;
let done: string;
/** A copy of the machine's `ledger.db`, to be damaged and rebuilt. */
let file: string;
const opened: LedgerCopy[] = [];

beforeEach(async () => {
  world = await createLocalWorld();
  mkdirSync(path.join(world.vault, 'Journal'));
  writeFileSync(path.join(world.vault, 'Journal', 'kept.md'), 'equal on both sides');
  writeFileSync(path.join(world.vault, 'Journal', 'gone.md'), 'gone from the disk');
  writeFileSync(path.join(world.vault, 'Journal', 'edited.md'), 'as it was');
  done = await world.draft();
  await syncVault(world.agent);
  await approveTask(world.agent, done, { method: 'command' });
  await executeApproved(world.agent);
  await syncVault(world.agent);
  file = path.join(path.dirname(world.vault), 'state', 'ledger.db');
  mkdirSync(path.dirname(file));
  const source = new DatabaseSync(path.join(path.dirname(world.vault), 'ledger.db'));
  source.prepare('VACUUM INTO ?').run(file);
  source.close();
});
afterEach(() => {
  for (const copy of opened.splice(0)) copy.close();
  world.dispose();
});

/** The machine with the copy in `file`. */
function agentOn(): Agent {
  const copy = new LedgerCopy(file, world.agent.keys.keyring);
  opened.push(copy);
  return world.restart({ copy });
}

function change(sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

/** Overwrites the middle of the file, page headers and all. */
function corrupt(): void {
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 4096, bytes.length - 4096);
  writeFileSync(file, bytes);
}

describe('a copy that is damaged', () => {
  it.each([
    [
      'is no database',
      () => void writeFileSync(file, 'not a database at all, and long enough to be one'.repeat(99)),
    ],
    ['has broken pages', corrupt],
    ['is cut short', () => void writeFileSync(file, readFileSync(file).subarray(0, 5000))],
  ])(
    '%s: is noticed, set aside and read afresh; nothing is sent again, nothing deleted',
    async (_what, harm) => {
      harm();
      expect(damageOf(file)).toBeDefined();
      const damaged = readFileSync(file);
      const rebuilt = await rebuildCopy(file, world.agent);
      expect(rebuilt.entries).toBe(world.ledger.rows.length);
      expect(readFileSync(rebuilt.keptAs)).toEqual(damaged);
      expect(damageOf(file)).toBeUndefined();

      writeFileSync(path.join(world.vault, 'Journal', 'edited.md'), 'edited meanwhile');
      const agent = agentOn();
      expect(await repairVault(agent, { act: true })).toMatchObject({ ok: true });
      await executeApproved(agent);
      expect(world.tools.calls).toHaveLength(1);
      expect((await verifyVault(agent)).problems).toEqual([]);
      const journal = path.join(world.vault, 'Journal');
      expect(readFileSync(path.join(journal, 'kept.md'), 'utf8')).toBe('equal on both sides');
      expect(readFileSync(path.join(journal, 'gone.md'), 'utf8')).toBe('gone from the disk');
      const edits = readdirSync(world.vault, { recursive: true })
        .map(String)
        .filter((name) => name.includes('edited'))
        .map((name) => readFileSync(path.join(world.vault, name), 'utf8'));
      expect(edits.sort()).toEqual(['as it was', 'edited meanwhile']);
      expect(existsSync(`${file}.rebuilding`)).toBe(false);
    },
  );

  it('has its journal and claims taken over where they can be read', async () => {
    change(`UPDATE entries SET entry = replace(entry, '2026', '2025') WHERE n = 3`);
    expect(damageOf(file) ?? salvage(file).broken).toBe(1);
    const { journalWhole, effects } = await rebuildCopy(file, world.agent);
    expect({ journalWhole, effects }).toEqual({ journalWhole: true, effects: 1 });
    expect((await verifyVault(agentOn())).problems).toEqual([]);
  });

  it('is still a witness: a ledger that was cut meanwhile is not taken in its place', async () => {
    change('UPDATE entries SET entry = 1 WHERE n = 2');
    const before = readFileSync(file);
    const last = world.ledger.rows.pop();
    await expect(rebuildCopy(file, world.agent)).rejects.toThrow(
      `entry ${last?.n ?? 0}: is gone from the cloud`,
    );
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(path.dirname(file)).filter((name) => name.includes('damaged'))).toEqual([]);
  });
});

describe('a copy that is lost', () => {
  it('is read afresh; that its journal is gone too is noted once, and then it verifies', async () => {
    const lost = path.join(path.dirname(file), 'fresh.db');
    const copy = new LedgerCopy(lost, world.agent.keys.keyring);
    opened.push(copy);
    const agent = world.restart({ copy });
    const report = await repairVault(agent, { act: true });
    expect(report).toMatchObject({ ok: true });
    expect(report.done.map(({ code }) => code)).toContain('journal');
    await executeApproved(agent);
    expect(world.tools.calls).toHaveLength(1);
    expect(await verifyVault(agent)).toMatchObject({ ok: true });
    expect(await repairVault(agent, { act: true })).toMatchObject({ ok: true, done: [] });
  });
});
