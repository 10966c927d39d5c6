import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createOwnersMachine } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';
import { employeeRun } from './employee-process.ts';
import type { Daemon } from './employee-process.ts';

const WAIT = { timeout: 10_000, interval: 25 };
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function machineWithDaemon(
  change: (config: Record<string, unknown>) => void = () => undefined,
): Promise<{ machine: OwnersMachine; daemon: Daemon; refuseAll: (now: boolean) => void }> {
  let cut = false;
  const machine = await createOwnersMachine(() => (cut ? { message: 'cut off by the test' } : undefined));
  ending.push(() => machine.dispose());
  expect(await machine.init()).toMatchObject({ status: 0 });
  const config = await machine.json(machine.configFile);
  change(config);
  await writeFile(machine.configFile, JSON.stringify(config));
  const daemon = await employeeRun(['--config', machine.configFile], { cwd: machine.folder });
  ending.push(() => daemon.stop());
  const refuseAll = (now: boolean): void => {
    cut = now;
  };
  return { machine, daemon, refuseAll };
}

function folder(machine: OwnersMachine, name: string): Promise<string[]> {
  return readdir(path.join(machine.vault, name));
}

async function undo(machine: OwnersMachine, seconds: number): Promise<void> {
  const file = path.join(machine.vault, 'Policy.yaml');
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace(/undoSeconds: \d+/, `undoSeconds: ${seconds}`),
  );
}

describe('the daemon', () => {
  it('brings a draft into the vault, shows it on the desk, and takes a move as approval', async () => {
    const { machine, daemon } = await machineWithDaemon();
    await machine.draft('lunch');
    await vi.waitFor(async () => expect(await folder(machine, 'Pending_Approval')).toHaveLength(1), WAIT);
    await vi.waitFor(
      async () => expect(await (await fetch(daemon.desk)).text()).toContain('Re: About lunch'),
      WAIT,
    );
    const [name = ''] = await folder(machine, 'Pending_Approval');
    await rename(
      path.join(machine.vault, 'Pending_Approval', name),
      path.join(machine.vault, 'Approved', name),
    );
    await vi.waitFor(() => expect(daemon.log()).toContain('approve: approved'), WAIT);
    // The default policy leaves time to change one's mind.
    expect(machine.emulators.sent).toHaveLength(0);
    await undo(machine, 0);
    await vi.waitFor(async () => expect(await folder(machine, 'Done')).toHaveLength(1), WAIT);
    expect(machine.emulators.sent).toHaveLength(1);
  }, 40_000);

  it('leaves the lock to commands between its passes, and status knows of it', async () => {
    const { machine, daemon } = await machineWithDaemon();
    const taskId = await machine.draft('lunch');
    await vi.waitFor(async () => expect(await folder(machine, 'Pending_Approval')).toHaveLength(1), WAIT);
    expect(await machine.employee('reject', taskId, '--reason', 'no')).toMatchObject({
      status: 0,
      stderr: '',
    });
    await vi.waitFor(
      async () => expect(await (await fetch(daemon.desk)).text()).toContain('Nothing waits for you.'),
      WAIT,
    );
    const status = JSON.parse((await machine.employee('status', '--json')).stdout) as { daemon: unknown };
    expect(status.daemon).toMatchObject({ desk: daemon.desk });
    expect(daemon.log()).not.toContain('failed');
  }, 40_000);

  it('sees a change in the vault long before its next look', async () => {
    const { machine } = await machineWithDaemon((config) => (config['pollMs'] = 3_600_000));
    const appended = (): number =>
      machine.emulators.calls.total({ service: 'dynamodb', operation: 'PutItem' });
    const before = appended();
    await writeFile(path.join(machine.vault, 'Handbook.md'), 'new words');
    await vi.waitFor(() => expect(appended()).toBe(before + 1), WAIT);
  }, 40_000);

  it('outlives a cloud that refuses: says so once, shows it on the desk, and goes on afterwards', async () => {
    const { machine, daemon, refuseAll } = await machineWithDaemon((config) => (config['pollMs'] = 100));
    refuseAll(true);
    await vi.waitFor(() => expect(daemon.log()).toContain('a pass failed'), WAIT);
    expect(await (await fetch(daemon.desk)).text()).toContain('The last pass failed');
    await vi.waitFor(async () => expect((await machine.employee('status', '--json')).status).toBe(1), WAIT);
    refuseAll(false);
    await machine.draft('lunch');
    await vi.waitFor(async () => expect(await folder(machine, 'Pending_Approval')).toHaveLength(1), WAIT);
    await vi.waitFor(() => expect(daemon.log()).toContain('working again'), WAIT);
    expect(daemon.log().split('a pass failed').length - 1).toBe(1);
  }, 40_000);

  it('stops at a vault that is gone instead of taking it for an empty one, and goes on when it is back', async () => {
    const { machine, daemon } = await machineWithDaemon((config) => (config['pollMs'] = 100));
    await rename(machine.vault, `${machine.vault}-away`);
    await vi.waitFor(() => expect(daemon.log()).toContain('is no vault'), WAIT);
    await rename(`${machine.vault}-away`, machine.vault);
    await vi.waitFor(() => expect(daemon.log()).toContain('working again'), WAIT);
    expect(await machine.employee('verify')).toMatchObject({ status: 0 });
  }, 40_000);

  it('ends with 0 on SIGTERM and takes its mark away', async () => {
    const { machine, daemon } = await machineWithDaemon();
    expect(await daemon.stop()).toBe(0);
    const status = JSON.parse((await machine.employee('status', '--json')).stdout) as { daemon: unknown };
    expect(status.daemon).toBeNull();
  }, 40_000);

  it('ends when its parent is gone', async () => {
    const { daemon } = await machineWithDaemon();
    expect(await daemon.orphan()).toBe(0);
  }, 40_000);
});
