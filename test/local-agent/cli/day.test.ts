import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOwnersMachine } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';

let machine: OwnersMachine;
beforeAll(async () => {
  machine = await createOwnersMachine();
  expect(await machine.init()).toMatchObject({ status: 0 });
});
afterAll(() => machine.dispose());

/** Runs a command with `--json` and reads its one document. */
async function json(status: number, ...args: string[]): Promise<unknown> {
  const said = await machine.employee(...args, '--json');
  expect(said).toMatchObject({ status });
  expect(said.stdout.endsWith('\n') && !said.stdout.trimEnd().includes('\n')).toBe(true);
  return JSON.parse(said.stdout);
}

async function drafted(name: string): Promise<string> {
  const taskId = await machine.draft(name);
  await json(0, 'sync');
  return taskId;
}

describe("the approver's day", () => {
  it('from inbox to sent: list, show, approve by digest, execute, audit, verify', async () => {
    const taskId = await drafted('lunch');
    expect(await json(0, 'inbox')).toEqual([
      expect.objectContaining({
        taskId,
        state: 'pending_approval',
        subject: 'About lunch',
        short: taskId.slice(0, 8),
      }),
    ]);
    const shown = (await json(0, 'show', taskId.slice(0, 6))) as { actionsDigest: string };
    const approved = await json(0, 'approve', taskId, '--digest', shown.actionsDigest.slice(0, 12));
    expect(approved).toMatchObject({ taskId, actionsDigest: shown.actionsDigest });
    const { executed } = (await json(0, 'execute')) as { executed: unknown[] };
    expect(executed).toEqual([expect.objectContaining({ taskId, outcome: 'succeeded' })]);
    expect(machine.emulators.sent).toHaveLength(1);
    expect(await readdir(path.join(machine.vault, 'Done'))).toHaveLength(1);
    const trail = (await json(0, 'audit', taskId)) as { kind: string }[];
    expect(trail.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['task', 'approval', 'intent', 'result']),
    );
    expect(await json(0, 'verify')).toMatchObject({ ok: true, problems: [] });
    expect(await json(0, 'status')).toMatchObject({ ok: true, waiting: 0, tasks: { done: 1 } });
  }, 40_000);

  it('a digest that is not what stands there is refused, and asks to look again', async () => {
    const taskId = await drafted('tea');
    const said = await machine.employee('approve', taskId, '--digest', 'deadbeef');
    expect(said).toMatchObject({ status: 3, stderr: expect.stringContaining('employee show') as string });
    await json(0, 'reject', taskId, '--reason', 'no tea');
    expect(await readdir(path.join(machine.vault, 'Rejected'))).toHaveLength(1);
    expect((await machine.employee('approve', taskId)).status).toBe(3);
    expect((await machine.employee('reject', taskId, '--reason', 'again')).status).toBe(1);
  }, 40_000);

  it('a note that changed after approval is not sent: execute ends with 3 and says why', async () => {
    const taskId = await drafted('cake');
    await json(0, 'approve', taskId);
    const [name = ''] = await readdir(path.join(machine.vault, 'Approved'));
    const file = path.join(machine.vault, 'Approved', name);
    await writeFile(file, (await readFile(file, 'utf8')).replace('Tuesday', 'tuesday'));
    expect(await json(3, 'execute')).toMatchObject({
      executed: [],
      refused: [{ taskId, why: expect.stringContaining('changed') as string }],
    });
    expect(await json(3, 'execute')).toMatchObject({ refused: [], needsPerson: [{ taskId }] });
    await json(0, 'reject', taskId, '--reason', 'enough');
    expect(await json(0, 'execute')).toEqual({ executed: [], refused: [], needsPerson: [] });
  }, 40_000);

  it('a move into Approved/ is told by sync as a wish', async () => {
    const taskId = await drafted('walk');
    const [name = ''] = await readdir(path.join(machine.vault, 'Pending_Approval'));
    await rename(
      path.join(machine.vault, 'Pending_Approval', name),
      path.join(machine.vault, 'Approved', name),
    );
    expect(await json(0, 'sync')).toMatchObject({ wishes: [{ taskId, outcome: 'approved' }] });
  }, 40_000);

  it('what a person reads is aligned and says what to type next', async () => {
    const { status, stdout } = await machine.employee('inbox', '--all');
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    const at = lines[0]?.indexOf('STATE') ?? -1;
    expect(lines.slice(1, 4).map((line) => line.slice(at - 2, at))).toEqual(['  ', '  ', '  ']);
    expect(stdout).toContain('employee approve ID');
    expect(stdout).not.toContain('\u001b');
  });

  it('doctor finds nothing wrong here', async () => {
    const { ok, checks } = (await json(0, 'doctor')) as {
      ok: boolean;
      checks: { ok: boolean; detail: string }[];
    };
    expect(checks.filter((check) => !check.ok)).toEqual([]);
    expect(ok).toBe(true);
    expect(checks.length).toBeGreaterThanOrEqual(12);
  });
});
