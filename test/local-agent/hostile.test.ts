import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { rejectTask } from '#local-agent/reject.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { makeEntry } from '#protocol/ledger-entry.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;

beforeEach(async () => {
  world = await createLocalWorld();
});
afterEach(() => {
  world.dispose();
});

function taskOf(taskId: string, { session } = world.agent): TaskView {
  const task = session.state.tasks.get(taskId);
  if (!task) throw new Error('no such task');
  return task;
}

function fileOf(taskId: string): string {
  return path.join(world.vault, notePath(taskOf(taskId)) ?? 'no note');
}

function edit(file: string, from: string, to: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}

/** What a person does with the mouse. */
function drag(taskId: string, folder: string): string {
  const target = path.join(world.vault, folder, taskOf(taskId).note?.name ?? '');
  mkdirSync(path.dirname(target), { recursive: true });
  renameSync(fileOf(taskId), target);
  return target;
}

async function waiting(name = 'lunch'): Promise<string> {
  const taskId = await world.draft(name);
  await syncVault(world.agent);
  return taskId;
}

async function approved(name = 'lunch'): Promise<string> {
  const taskId = await waiting(name);
  await approveTask(world.agent, taskId, { method: 'command' });
  return taskId;
}

function cloudWriter(): Writer {
  const [keys] = world.agent.keys.keyring;
  if (!keys) throw new Error('no keys');
  const { keyEpoch, shared } = keys;
  return { vaultId: 'v-test', writer: 'cloud', signingKey: world.cloudKey, keyring: [{ keyEpoch, shared }] };
}

describe('nothing runs that was not approved', () => {
  it('bytes saved after the look at a drag are not approved by that drag', async () => {
    const taskId = await waiting();
    const target = drag(taskId, 'Approved');
    mkdirSync(path.join(world.vault, 'Journal'));
    writeFileSync(path.join(world.vault, 'Journal', 'big.md'), 'x'.repeat(20_000));
    const { blobs } = world.agent;
    const typing = world.restart({
      blobs: {
        get: (id) => blobs.get(id),
        put: (id, sealed) => {
          edit(target, 'Tuesday', 'Never ever');
          return blobs.put(id, sealed);
        },
      },
    });
    await syncVault(typing);
    await executeApproved(typing);
    expect(taskOf(taskId, typing).state).toBe('pending_approval');
    expect(world.tools.calls).toEqual([]);
  });

  it('an edit after an approval whose last reply was lost voids it', async () => {
    const taskId = await waiting();
    const file = fileOf(taskId);
    edit(file, 'Tuesday', 'Wednesday');
    const dying = world.restart({
      tasks: { ...world.tasks, settle: () => Promise.reject(new Error('timeout')) },
      files: { ...world.agent.files, move: () => Promise.reject(new Error('killed')) },
    });
    await expect(approveTask(dying, taskId, { method: 'command' })).rejects.toThrow('killed');
    edit(file, 'Wednesday', 'Never');
    const later = world.restart();
    await syncVault(later);
    await executeApproved(later);
    expect(world.tools.calls).toEqual([]);
  });

  it.each(['Rejected', 'Pending_Approval', 'deleted'])(
    'an approved note that is taken back (%s) is not sent',
    async (to) => {
      const taskId = await approved();
      if (to === 'deleted') rmSync(fileOf(taskId));
      else drag(taskId, to);
      await syncVault(world.agent);
      await executeApproved(world.agent);
      expect(world.tools.calls).toEqual([]);
    },
  );

  it('a machine that died while it placed an approved note does not take that for a drag later', async () => {
    const taskId = await waiting();
    const { files } = world.agent;
    const dying = world.restart({
      files: {
        ...files,
        move: async (from, to, expected) => {
          await files.move(from, to, expected);
          throw new Error('killed');
        },
      },
    });
    await expect(approveTask(dying, taskId, { method: 'command' })).rejects.toThrow('killed');
    world.clock.advance(73 * 3_600_000);
    const { epoch } = taskOf(taskId, dying);
    await world.forge('local', {
      kind: 'task',
      changes: [{ taskId, epoch, event: 'voided', reason: 'the approval expired' }],
    });
    const back = world.restart();
    expect((await syncVault(back)).wishes).toEqual([]);
    await executeApproved(back);
    expect(world.tools.calls).toEqual([]);
  });

  it('what may have been sent already is not approved by a bare drag after an edit', async () => {
    const taskId = await approved();
    world.tools.answer = () => Promise.resolve({ status: 'indeterminate', detail: 'no answer' });
    await executeApproved(world.agent);
    await approveTask(world.agent, taskId, { method: 'command', again: true });
    edit(fileOf(taskId), 'Tuesday', 'Friday');
    await syncVault(world.agent);
    await expect(approveTask(world.agent, taskId, { method: 'move' })).rejects.toThrow('--again');
  });
});

describe('nothing runs twice', () => {
  it("a forged entry in the place of a lost intent is not taken for the machine's own", async () => {
    const taskId = await approved();
    let forged = false;
    const { ledger } = world;
    const agent = world.restart({
      ledger: {
        ...ledger,
        append: async (entry) => {
          if (entry.kind !== 'intent' || forged) return ledger.append(entry);
          forged = true;
          await world.cloud.pull();
          const body = {
            kind: 'delivery',
            event: 'delayed',
            providerId: 'x',
            happenedAt: world.clock.now(),
          } as const;
          const stamp = { at: world.clock.now(), attempt: entry.attempt };
          await ledger.append(
            makeEntry(world.cloud.state.head, { taskId, epoch: 1, body }, cloudWriter(), stamp),
          );
          throw new Error('the reply was lost');
        },
      },
    });
    await executeApproved(agent);
    await executeApproved(world.restart());
    expect(world.tools.calls).toHaveLength(1);
    expect([...agent.copy.entries()].filter(({ kind }) => kind === 'intent')).toHaveLength(1);
  });

  it('the machine that approved is the one that runs it, whatever the items say', async () => {
    const taskId = await approved();
    const desktop = world.restart();
    const elsewhere = { ...desktop, config: { ...desktop.config, agent: 'desktop' } };
    await executeApproved(elsewhere);
    expect(world.tools.calls).toEqual([]);
    expect((await executeApproved(world.agent)).executed).toMatchObject([{ taskId, outcome: 'succeeded' }]);
  });

  it('a tool that was called without an intent in the ledger is named by verify', async () => {
    const taskId = await waiting();
    world.agent.copy.journal(`${taskId}-7`, { stage: 'called' });
    expect((await verifyVault(world.agent)).problems).toMatchObject([{ code: 'effect', taskId }]);
  });

  it("the day's cap counts every attempt", async () => {
    writeFileSync(path.join(world.vault, 'Policy.yaml'), 'version: 1\ndailyCap:\n  email: 1\n');
    const taskId = await approved();
    world.tools.answer = () => Promise.resolve({ status: 'failed', detail: 'suppressed' });
    await executeApproved(world.agent);
    await approveTask(world.agent, taskId, { method: 'command', again: true });
    expect((await executeApproved(world.agent)).refused[0]?.why).toContain('cap');
    expect(world.tools.calls).toHaveLength(1);
  });
});

describe('nothing is stuck or lost', () => {
  it('a claim whose reply was lost is taken up by a later approval', async () => {
    const taskId = await approved();
    const dying = world.restart({
      tasks: {
        ...world.tasks,
        claim: async (request) => {
          await world.tasks.claim(request);
          throw new Error('killed');
        },
      },
    });
    await expect(executeApproved(dying)).rejects.toThrow('killed');
    world.clock.advance(73 * 3_600_000);
    const agent = world.restart();
    expect((await executeApproved(agent)).refused[0]?.why).toContain('expired');
    await approveTask(agent, taskId, { method: 'command' });
    expect((await executeApproved(agent)).executed).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('one task that fails does not keep the others from being run', async () => {
    const bad = await approved('bad');
    const good = await approved('good');
    const agent = world.restart({
      tasks: {
        ...world.tasks,
        claim: (request) =>
          request.taskId === bad ? Promise.reject(new Error('odd item')) : world.tasks.claim(request),
      },
    });
    await expect(executeApproved(agent)).rejects.toThrow('odd item');
    expect(world.tools.calls.map(({ args }) => args['taskId'])).toEqual([good]);
  });

  it('a note named like a secret is still looked at', async () => {
    const taskId = await waiting('our session on Tuesday');
    edit(fileOf(taskId), 'Tuesday suits', 'Friday suits');
    await syncVault(world.agent);
    await syncVault(world.agent);
    expect(readFileSync(fileOf(taskId), 'utf8')).toContain('Friday suits');
  });

  it('a private file that bears the name of a rejected note stays where it is', async () => {
    const taskId = await waiting();
    const name = taskOf(taskId).note?.name ?? '';
    mkdirSync(path.join(world.vault, 'Journal'));
    writeFileSync(path.join(world.vault, 'Journal', name), 'private thoughts');
    rmSync(fileOf(taskId));
    await rejectTask(world.agent, taskId, 'junk');
    expect(readFileSync(path.join(world.vault, 'Journal', name), 'utf8')).toBe('private thoughts');
  });

  it('a credential that was pasted into a draft stays on this machine', async () => {
    const taskId = await waiting();
    edit(fileOf(taskId), 'Tuesday', `AKIA${'Z2XY'.repeat(4)}`);
    const { length } = world.ledger.rows;
    const report = await syncVault(world.agent);
    expect(report.explained.join()).toContain('access key');
    expect(world.ledger.rows).toHaveLength(length);
  });
});

describe('the cloud zone', () => {
  it('cannot plant hidden files in the vault', async () => {
    const text = '[core]\n\tfsmonitor = "touch PWNED"\n';
    const content = { sha256: sha256Hex(text), sizeBytes: text.length, text };
    const changes = [{ op: 'put', path: 'Briefings/.git/config', content }] as const;
    const n = await world.forge('cloud', { kind: 'files', changes: [...changes] });
    expect((await syncVault(world.agent)).incidents).toMatchObject([{ n, code: 'zone' }]);
    expect(existsSync(path.join(world.vault, 'Briefings', '.git'))).toBe(false);
  });

  it('cannot hide an entry behind a key that the owner does not have', async () => {
    await waiting();
    const [keys] = cloudWriter().keyring;
    if (!keys) throw new Error('no keys');
    const hidden = { ...cloudWriter(), keyring: [{ ...keys, keyEpoch: 99 }] };
    await world.cloud.pull();
    const body = { kind: 'override', what: { of: 'repair', code: 'x' }, reason: 'y' } as const;
    const stamp = { at: world.clock.now(), attempt: 'hidden' };
    await world.ledger.append(makeEntry(world.cloud.state.head, { body }, hidden, stamp));
    expect((await syncVault(world.agent)).incidents).toMatchObject([{ writer: 'cloud', code: 'old-keys' }]);
    expect((await verifyVault(world.agent)).ok).toBe(false);
  });
});
