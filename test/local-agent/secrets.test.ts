import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { loadAll } from '#local-agent/load-all.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { contentsOf } from '#protocol/ledger-contents.ts';
import { LedgerEntry, openBody } from '#protocol/ledger-entry.ts';
import { notePath } from '#protocol/vault-state.ts';
import { homeOf, ownersGit, withHistory } from '#test/support/git-world.ts';
import type { AgentWithHistory } from '#test/support/git-world.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

/** In two parts, so that no scanner of this repository takes it for a leak. */
const CANARY = `${'ghp'}_${'Canary'.repeat(6)}`;
/** No credential by its looks: only the names of files keep it here. */
const PLAIN = 'canary-that-only-a-name-keeps-here';

let world: LocalWorld;
let agent: AgentWithHistory;

beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop']);
  agent = withHistory(world);
});
afterEach(() => {
  world.dispose();
});

function put(vaultPath: string, text: string, vault = world.vault): void {
  mkdirSync(path.dirname(path.join(vault, vaultPath)), { recursive: true });
  writeFileSync(path.join(vault, vaultPath), text);
}

function move(from: string, to: string): void {
  mkdirSync(path.dirname(path.join(world.vault, to)), { recursive: true });
  renameSync(path.join(world.vault, from), path.join(world.vault, to));
}

function read(vaultPath: string, vault = world.vault): string {
  return readFileSync(path.join(vault, vaultPath), 'utf8');
}

function noteOf(taskId: string): string {
  const task = agent.session.state.tasks.get(taskId);
  return (task && notePath(task)) ?? 'no note';
}

function filesIn(vault: string): string[] {
  return readdirSync(vault, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile() && !item.parentPath.includes('.git'))
    .map((item) => path.relative(vault, path.join(item.parentPath, item.name)));
}

/** All that ever left the machine, opened: entries, contents that they name, every object of Git. */
async function everythingOutside(): Promise<string> {
  const parts: string[] = [];
  const wanted = [];
  const named = new Set<string>();
  for (const { entry: stored } of world.ledger.rows) {
    const entry = LedgerEntry.parse(stored);
    const body = openBody(entry, agent.keys.keyring);
    if (!body) throw new Error('an entry that nobody can open');
    parts.push(JSON.stringify([entry, body]));
    for (const content of contentsOf(body)) {
      if ('base64' in content) parts.push(Buffer.from(content.base64, 'base64').toString('latin1'));
      if (!('blob' in content)) continue;
      wanted.push({ content, ring: entry.ring });
      named.add(content.pack?.id ?? content.blob);
    }
  }
  for await (const { bytes } of loadAll(agent, wanted)) parts.push(bytes?.toString('latin1') ?? '');
  // What no entry names could not be opened here: there must be none of it.
  expect([...world.blobs.blobs.keys()].filter((id) => !named.has(id))).toEqual([]);
  parts.push(ownersGit(world, ['cat-file', '--batch-all-objects', '--batch']));
  return parts.join('\n');
}

async function expectNothingOutside(...canaries: string[]): Promise<void> {
  const outside = await everythingOutside();
  for (const canary of canaries) expect(outside.includes(canary), canary.slice(-20)).toBe(false);
  expect(world.tools.calls.some((call) => JSON.stringify(call).includes(CANARY))).toBe(false);
}

describe('a secret never leaves this machine', () => {
  it('in a plain file, by what is in it, large or small, or by any part of its path', async () => {
    put('Journal/fine.md', 'fine');
    put('Journal/key.md', `my key: ${CANARY}`);
    put('Journal/large.md', `${'x'.repeat(200_000)} ${CANARY}`);
    put('Journal/wide.txt', `\ufeff${CANARY}`);
    writeFileSync(path.join(world.vault, 'Journal', 'wide.txt'), Buffer.from(`\ufeff${CANARY}`, 'utf16le'));
    put('my-credentials.txt', PLAIN);
    put('Secrets/deep/in/it.md', PLAIN);
    put('Journal/T\u043eken.md', PLAIN);
    put('Handbook.md', `for the cloud: ${CANARY}`);
    const report = await syncVault(agent);
    await expectNothingOutside(CANARY, PLAIN);
    expect([...agent.session.state.files.keys()]).toEqual(['Journal/fine.md']);
    expect(report.withheld.map(({ path: name }) => name).sort()).toEqual([
      'Handbook.md',
      'Journal/T\u043eken.md',
      'Journal/key.md',
      'Journal/large.md',
      'Journal/wide.txt',
      'Secrets/deep/in/it.md',
      'my-credentials.txt',
    ]);
    for (const { why } of report.withheld) expect(why).not.toContain('anary');
    expect((await verifyVault(agent)).problems).toEqual([]);
  });

  it('behind a link', async () => {
    const outside = path.join(homeOf(world), 'outside');
    writeFileSync(outside, `${CANARY} ${PLAIN}`);
    symlinkSync(outside, path.join(world.vault, 'innocent.md'));
    put('folder/real.md', 'real');
    await syncVault(agent);
    rmSync(path.join(world.vault, 'folder', 'real.md'));
    symlinkSync(outside, path.join(world.vault, 'folder', 'real.md'));
    await syncVault(agent);
    await expectNothingOutside(CANARY, PLAIN);
    expect(agent.session.state.files.has('folder/real.md')).toBe(true);
  });

  it("in an edit of a task's note, which may be edited again once the secret is out of it", async () => {
    const taskId = await world.draft();
    await syncVault(agent);
    const note = noteOf(taskId);
    const before = read(note);
    put(note, before.replace('Tuesday', CANARY));
    expect((await syncVault(agent)).explained.join()).toContain('a Git host token');
    await expect(approveTask(agent, taskId, { method: 'command' })).rejects.toThrow(
      'must not leave this machine',
    );
    await expectNothingOutside(CANARY);
    put(note, before.replace('Tuesday', 'Friday'));
    await syncVault(agent);
    await approveTask(agent, taskId, { method: 'command' });
    await executeApproved(agent);
    expect(world.tools.calls).toHaveLength(1);
    await expectNothingOutside(CANARY);
  });

  it('in an edit of an approved note: the approval is void, nothing runs, the edit stays here', async () => {
    const taskId = await world.draft();
    await syncVault(agent);
    await approveTask(agent, taskId, { method: 'command' });
    put(noteOf(taskId), read(noteOf(taskId)).replace('Tuesday', CANARY));
    await executeApproved(agent);
    await syncVault(agent);
    await executeApproved(agent);
    expect(world.tools.calls).toEqual([]);
    await expectNothingOutside(CANARY);
    expect(filesIn(world.vault).some((name) => read(name).includes(CANARY))).toBe(true);
  });

  it('in a note that is dragged to Approved with it, or left about in a folder of tasks', async () => {
    const taskId = await world.draft();
    await syncVault(agent);
    const note = noteOf(taskId);
    put(note, read(note).replace('Tuesday', CANARY));
    move(note, note.replace('Pending_Approval', 'Approved'));
    put('Pending_Approval/stray.md', `stray ${CANARY}`);
    await syncVault(agent);
    await executeApproved(agent);
    await syncVault(agent);
    expect(world.tools.calls).toEqual([]);
    await expectNothingOutside(CANARY);
  });

  it('as an attachment of a mail', async () => {
    put('Journal/report.md', `figures and ${CANARY}`);
    const taskId = await world.draft();
    await syncVault(agent);
    put(noteOf(taskId), read(noteOf(taskId)).replace('attachments: []', 'attachments: [Journal/report.md]'));
    await syncVault(agent);
    await expect(approveTask(agent, taskId, { method: 'command' })).rejects.toThrow('a Git host token');
    await expectNothingOutside(CANARY);
  });

  it('in a conflict copy, of a file or a note', async () => {
    const desktop = world.machine('desktop');
    put('Journal/both.md', 'one\n');
    await syncVault(agent);
    await syncVault(desktop.agent);
    put('Journal/both.md', 'from the desktop\n', desktop.vault);
    await syncVault(desktop.agent);
    put('Journal/both.md', `${CANARY}\n`);
    await syncVault(agent);
    await syncVault(agent);
    await expectNothingOutside(CANARY);
    expect(filesIn(world.vault).some((name) => read(name).includes(CANARY))).toBe(true);
    await syncVault(desktop.agent);
    expect(filesIn(desktop.vault).some((name) => read(name, desktop.vault).includes(CANARY))).toBe(false);
  });
});

describe('a file that becomes a secret, and one that stops being one', () => {
  it('by its contents: it stays as it was for everybody else, and comes into step again afterwards', async () => {
    const desktop = world.machine('desktop');
    put('Journal/notes.md', 'one\ntwo\nthree\n');
    await syncVault(agent);
    await syncVault(desktop.agent);
    put('Journal/notes.md', `one\ntwo\nthree ${CANARY}\n`);
    expect((await syncVault(agent)).withheld).toMatchObject([{ path: 'Journal/notes.md' }]);
    expect((await verifyVault(agent)).problems).toEqual([]);
    put('Journal/notes.md', 'ONE\ntwo\nthree\n', desktop.vault);
    await syncVault(desktop.agent);
    await syncVault(agent);
    expect(read('Journal/notes.md')).toContain(CANARY);
    await expectNothingOutside(CANARY);

    put('Journal/notes.md', 'one\ntwo\nthree, without it\n');
    await syncVault(agent);
    await syncVault(desktop.agent);
    for (const vault of [world.vault, desktop.vault]) {
      expect(read('Journal/notes.md', vault)).toBe('ONE\ntwo\nthree, without it\n');
    }
    await expectNothingOutside(CANARY);
    expect((await verifyVault(agent)).problems).toEqual([]);
  });

  it('by its name: what is written there stays here, and goes up under a name of its own again', async () => {
    put('Journal/plan.md', 'the plan');
    await syncVault(agent);
    move('Journal/plan.md', 'Journal/my-token.md');
    put('Journal/my-token.md', `the plan ${PLAIN}`);
    await syncVault(agent);
    await syncVault(agent);
    await expectNothingOutside(PLAIN, 'my-token');
    put('Journal/my-token.md', 'the plan, and nothing secret');
    move('Journal/my-token.md', 'Journal/plan 2.md');
    expect((await syncVault(agent)).withheld).toEqual([]);
    const content = agent.session.state.files.get('Journal/plan 2.md')?.content;
    expect(content?.sha256).toBe(sha256Hex('the plan, and nothing secret'));
    await expectNothingOutside(PLAIN);
  });

  it('by a filter that changed: nothing is deleted anywhere, and a third machine does not write it', async () => {
    // As a machine with an older filter put it there.
    const bytes = { text: PLAIN, sha256: sha256Hex(PLAIN), sizeBytes: PLAIN.length };
    put('Journal/session.md', PLAIN);
    await agent.session.append(() => ({
      ring: 'private',
      body: { kind: 'files', changes: [{ op: 'put', path: 'Journal/session.md', content: bytes }] },
    }));
    agent.copy.setAgreed('Journal/session.md', {
      sha256: bytes.sha256,
      id: `${agent.session.state.head.n}.0`,
      n: agent.session.state.head.n,
    });
    const desktop = world.machine('desktop');
    for (const one of [agent, desktop.agent, agent]) await syncVault(one);
    expect(agent.session.state.files.has('Journal/session.md')).toBe(true);
    expect(read('Journal/session.md')).toBe(PLAIN);
    expect(filesIn(desktop.vault)).not.toContain('Journal/session.md');
    const seen = await verifyVault(desktop.agent);
    expect(seen).toMatchObject({ ok: true, notices: [{ code: 'withheld', path: 'Journal/session.md' }] });
    // Gone from this disk is not gone: nobody can tell whether the filter or the person took it away.
    rmSync(path.join(world.vault, 'Journal', 'session.md'));
    await syncVault(agent);
    expect(agent.session.state.files.has('Journal/session.md')).toBe(true);
  });
});

it('what is withheld is told once, and again when the reason changes', async () => {
  put('Journal/key.md', CANARY);
  expect((await syncVault(agent)).newlyWithheld).toHaveLength(1);
  const again = await syncVault(agent);
  expect(again).toMatchObject({ newlyWithheld: [], withheld: [{ path: 'Journal/key.md' }] });
  put('Journal/other.md', CANARY);
  expect((await syncVault(agent)).newlyWithheld).toMatchObject([{ path: 'Journal/other.md' }]);
});
