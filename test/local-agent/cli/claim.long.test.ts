import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { createOwnersMachine } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';

let machine: OwnersMachine;
let tasks: TaskStore;
let client: ReturnType<typeof createDynamoClient>;
let self: string;
beforeAll(async () => {
  machine = await createOwnersMachine();
  expect(await machine.init()).toMatchObject({ status: 0 });
  client = createDynamoClient(machine.emulators.clientOptions());
  tasks = createDynamoTaskStore(client, 'tasks');
  self = String((await machine.json(machine.configFile))['agent']);
});
afterAll(async () => {
  client.destroy();
  await machine.dispose();
});

async function json(status: number, ...args: string[]): Promise<unknown> {
  const said = await machine.employee(...args, '--json');
  expect(said).toMatchObject({ status });
  return JSON.parse(said.stdout);
}

async function waiting(name: string): Promise<string> {
  const taskId = await machine.draft(name, 'needs_action');
  await json(0, 'sync');
  return taskId;
}

describe('employee claim, release, transfer, owner', () => {
  it(
    'take a task, say who has it, and put it down, each safe to run twice',
    { timeout: 60_000 },
    async () => {
      const taskId = await waiting('lunch');
      for (let times = 0; times < 2; times++) {
        expect(await json(0, 'claim', taskId.slice(0, 8))).toEqual({
          taskId,
          agent: self,
          owner: self,
          offline: false,
        });
      }
      expect(await readdir(path.join(machine.vault, 'In_Progress', self))).toHaveLength(1);
      expect(await json(0, 'owner', taskId)).toMatchObject({
        agree: true,
        ledger: { owner: self, state: 'drafting', home: 'local', epoch: 1 },
        item: { owner: self, epoch: 1 },
        pending: null,
      });
      expect(await json(1, 'transfer', taskId, '--to', 'tablet')).toMatchObject({
        error: { code: 'UNKNOWN_AGENT', message: expect.stringContaining(`there are: ${self}`) as string },
      });
      for (let times = 0; times < 2; times++) {
        expect(await json(0, 'release', taskId)).toEqual({ taskId, state: 'needs_action' });
      }
      expect(await readdir(path.join(machine.vault, 'Needs_Action'))).toHaveLength(1);
      await json(0, 'claim', taskId);
      expect(await json(0, 'release', taskId, '--to', 'pending_approval')).toMatchObject({
        state: 'pending_approval',
      });
      await json(0, 'approve', taskId);
      expect(await json(0, 'execute')).toMatchObject({ executed: [{ taskId, outcome: 'succeeded' }] });
      expect(await json(0, 'verify')).toMatchObject({ ok: true });
    },
  );

  it('owner ends with 1 when ledger and store disagree, and says what to do', async () => {
    const taskId = await waiting('tea');
    const { version = 0 } = (await tasks.get(taskId)) ?? {};
    await tasks.mend({ taskId, seenVersion: version, state: 'approved', home: 'local', epoch: 0 });
    const said = await machine.employee('owner', taskId);
    expect(said).toMatchObject({ status: 1, stdout: expect.stringContaining('employee repair') as string });
    expect(await json(1, 'owner', taskId)).toMatchObject({ agree: false });
    await json(0, 'claim', taskId);
    await json(0, 'owner', taskId);
  });

  it('refuse what cannot be, in words', async () => {
    const taskId = await waiting('cake');
    const said = await machine.employee('release', taskId);
    expect(said).toMatchObject({ status: 1, stderr: expect.stringContaining('claim it first') as string });
    expect((await machine.employee('release', taskId, '--to', 'done')).status).toBe(2);
    expect((await machine.employee('transfer', taskId)).status).toBe(2);
    expect((await machine.employee('claim', 'tffffffff')).status).toBe(2);
    for (const command of ['claim', 'release', 'transfer', 'owner']) {
      const help = await machine.employee(command, '--help');
      expect(help).toMatchObject({ status: 0, stdout: expect.stringContaining('Examples:') as string });
    }
  });

  it('--takeover of a task that nobody holds is a claim', async () => {
    const taskId = await waiting('rain');
    expect(await json(0, 'claim', taskId, '--takeover')).toMatchObject({ taskId, owner: self });
  });

  it(
    'F23 offline: refuses what is at home in the cloud, and takes what is at home here',
    { timeout: 60_000 },
    async () => {
      const mine = await waiting('mine');
      await json(0, 'claim', mine);
      await json(0, 'release', mine);
      const theirs = await waiting('theirs');
      const config = await machine.json(machine.configFile);
      const offline = path.join(path.dirname(machine.configFile), 'offline.json');
      const endpoints = { ...(config['endpoints'] as object), dynamodb: 'http://127.0.0.1:1' };
      await writeFile(offline, JSON.stringify({ ...config, endpoints }));

      const refused = await machine.employee('claim', theirs, '--config', offline);
      expect(refused).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(
          /at home in the cloud.*try again when this machine is online/,
        ) as string,
      });
      expect(await json(0, 'claim', mine, '--config', offline)).toMatchObject({ offline: true });
      const [name = ''] = await readdir(path.join(machine.vault, 'In_Progress', self));
      expect(await readFile(path.join(machine.vault, 'In_Progress', self, name), 'utf8')).toContain(mine);
      expect(await json(0, 'sync')).toMatchObject({
        explained: [expect.stringContaining('is yours') as string],
      });
      expect(await json(0, 'owner', mine)).toMatchObject({ agree: true, ledger: { owner: self } });
      expect((await tasks.get(theirs))?.owner).toBeUndefined();
    },
  );
});
