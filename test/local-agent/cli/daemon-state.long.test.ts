import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { employeeRun } from './employee-process.ts';
import type { Daemon } from './employee-process.ts';
import { createOwnersMachine } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';

const WAIT = { timeout: 10_000, interval: 25 };
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function machineWithDaemon(pollMs: number): Promise<{ machine: OwnersMachine; daemon: Daemon }> {
  const machine = await createOwnersMachine();
  ending.push(() => machine.dispose());
  expect(await machine.init()).toMatchObject({ status: 0 });
  const config = await machine.json(machine.configFile);
  await writeFile(machine.configFile, JSON.stringify({ ...config, pollMs }));
  return { machine, daemon: await start(machine) };
}

async function start(machine: OwnersMachine): Promise<Daemon> {
  const daemon = await employeeRun(['--config', machine.configFile, '--port', '0'], { cwd: machine.folder });
  ending.push(() => daemon.stop());
  return daemon;
}

describe('the daemon and what it works on', () => {
  it('a second daemon for the same config refuses at once, names the first, and may take over after it', async () => {
    const { machine, daemon } = await machineWithDaemon(1000);
    await expect(start(machine)).rejects.toThrow(
      /run ended with 1: .*a daemon \(process \d+\) runs for .*config already/,
    );
    expect((await machine.employee('status')).stdout).toContain(daemon.desk);
    expect(await daemon.stop()).toBe(0);
    await start(machine);
  }, 40_000);

  it('says so when its copy of the ledger is deleted, sends nothing more, and is whole after a new start', async () => {
    const { machine, daemon } = await machineWithDaemon(100);
    await rename(path.join(machine.folder, 'config', 'ledger.db'), path.join(machine.folder, 'ledger.db'));
    await vi.waitFor(
      () => expect(daemon.log()).toContain('was deleted or replaced while the daemon ran'),
      WAIT,
    );
    expect(daemon.log().split('a pass failed').length - 1).toBe(1);
    const before = machine.emulators.calls.total({ service: 'dynamodb', operation: 'PutItem' });
    await writeFile(path.join(machine.vault, 'Handbook.md'), 'new words');
    await vi.waitFor(
      async () => expect(await (await fetch(daemon.desk)).text()).toContain('The last pass failed'),
      WAIT,
    );
    expect(machine.emulators.calls.total({ service: 'dynamodb', operation: 'PutItem' })).toBe(before);
    expect(await daemon.stop()).toBe(0);
    await start(machine);
    expect(machine.emulators.calls.total({ service: 'dynamodb', operation: 'PutItem' })).toBeGreaterThan(
      before,
    );
    expect(await machine.employee('verify')).toMatchObject({ status: 0 });
  }, 40_000);

  it('outlives the deletion of the whole vault, deletes nothing in the cloud, and says what is missing', async () => {
    const { machine, daemon } = await machineWithDaemon(100);
    const before = machine.emulators.calls.total({ service: 'dynamodb', operation: 'PutItem' });
    await rm(machine.vault, { recursive: true });
    await vi.waitFor(() => expect(daemon.log()).toContain('is no vault'), WAIT);
    expect(machine.emulators.calls.total({ service: 'dynamodb', operation: 'PutItem' })).toBe(before);
    expect(await daemon.stop()).toBe(0);
  }, 40_000);
});
