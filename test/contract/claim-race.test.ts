import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { createFileTaskStore } from '#adapters/file-task-store.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { startEmulators } from '#test/support/emulators.ts';
import type { TestEmulators } from '#test/support/emulators.ts';
import { makeTasks, runRace, startClaimer } from '#test/support/claim-race.ts';
import type { Race } from '#test/support/claim-race.ts';
import { createTables } from './dynamodb-tables.ts';
import { taskFolder } from './task-files.ts';

const EIGHT = Array.from({ length: 8 }, (_, i) => ({ owner: `agent-${i}`, zone: 'local' as const }));

/** Each task has one winner, and the store names that very one. */
async function expectOneWinnerEach(
  store: TaskStore,
  race: Race,
  winners: ReadonlyMap<number, readonly string[]>,
): Promise<void> {
  expect(winners.size).toBe(race.tasks);
  for (let i = 0; i < race.tasks; i++) {
    const task = await store.get(taskIdOfMail(`${race.name}-${i}`));
    expect([task?.owner]).toEqual(winners.get(i));
    expect(task).toMatchObject({ epoch: 1, state: 'drafting' });
  }
}

describe('F18 claims of many processes: the local store', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'claim-race-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('8 processes claim 200 tasks: exactly one winner each', { timeout: 120_000 }, async () => {
    const race: Race = { store: { kind: 'files', folder }, name: 'race', tasks: 200, racers: EIGHT };
    const store = createFileTaskStore(folder);
    await makeTasks(store, race, 'local');
    const winners = await runRace(race);
    await expectOneWinnerEach(store, race, winners);
    // Otherwise nobody raced.
    expect(new Set([...winners.values()].flat()).size).toBeGreaterThan(1);
  });

  it(
    'F19 processes that are killed at any moment leave no task lost, doubled or stuck',
    { timeout: 120_000 },
    async () => {
      const race: Race = {
        store: { kind: 'files', folder },
        name: 'killed',
        tasks: 3,
        racers: EIGHT.slice(0, 3),
      };
      const store = createFileTaskStore(folder);
      await makeTasks(store, race, 'local');
      const taskIds = [0, 1, 2].map((i) => taskIdOfMail(`killed-${i}`));
      const epochs = new Map<string, number>();
      for (let kills = 0; kills < 4; kills++) {
        const children = await Promise.all(race.racers.map((racer) => startClaimer(race, racer, true)));
        for (const child of children) child.send('go');
        // Killed amid its work, wherever it happens to be after so many changes of the others.
        await changed(store, taskIds[kills % 3] ?? '', 1 + (kills % 7));
        for (const child of children) child.kill('SIGKILL');
        await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
        for (const taskId of taskIds) {
          const task = await store.get(taskId);
          expect(task?.epoch).toBeGreaterThanOrEqual(epochs.get(taskId) ?? 0);
          epochs.set(taskId, task?.epoch ?? -1);
          // What a dead process holds is taken over by what was seen of it.
          if (task?.owner !== undefined) {
            const { owner, epoch, heartbeat } = task;
            const seen = { owner, epoch, heartbeat };
            const over = { taskId, owner: 'agent-9', attemptId: 'x', zone: 'local' as const, seen };
            expect(await store.takeover(over)).toMatchObject({ won: true });
            const down = { taskId, owner: 'agent-9', epoch: epoch + 1, to: 'needs_action' as const };
            expect(await store.release({ ...down, home: 'local' })).toMatchObject({ won: true });
          } else {
            const settled = await store.settle(taskId, 'edited', 'local');
            expect(settled.won).toBe(true);
          }
          expect((await readdir(taskFolder(folder, taskId))).length).toBe(2);
        }
      }
    },
  );
});

describe('F20 a process that is paused in the middle of a claim', () => {
  it('loses to those who went on meanwhile: no version has two makers', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'claim-pause-'));
    const racers = EIGHT.slice(0, 4);
    const race: Race = { store: { kind: 'files', folder }, name: 'paused', tasks: 1, racers, lanes: 1 };
    const store = createFileTaskStore(folder);
    const made: string[] = [];
    const children: ChildProcess[] = [];
    try {
      await makeTasks(store, race, 'local');
      const taskId = taskIdOfMail('paused-0');
      children.push(...(await Promise.all(racers.map((racer) => startClaimer(race, racer, true)))));
      for (const child of children) child.send('go');
      for (let round = 0; round < 24; round++) {
        const child = children[round % children.length];
        child?.kill('SIGSTOP');
        // Several versions are made and removed while it stands still, wherever it was.
        for (let versions = 0; versions < 6;) {
          const task = await store.get(taskId);
          if (!task) throw new Error('the task is gone');
          const { version: seenVersion, epoch } = task;
          const answer = await store.mend({
            taskId,
            seenVersion,
            state: 'needs_action',
            home: 'local',
            epoch,
          });
          if (!answer.won) continue;
          made.push(`0:${answer.task.version}`);
          versions += 1;
        }
        child?.kill('SIGCONT');
      }
      for (const child of children) {
        const answer = once(child, 'message');
        child.send('stop');
        const [{ versions }] = (await answer) as [{ versions: string[] }];
        made.push(...versions);
      }
      expect(made.length).toBeGreaterThan(100);
      expect(new Set(made).size).toBe(made.length);
      expect((await store.get(taskId))?.version).toBe(made.length + 1);
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  });
});

/** Waits until a task has moved on by so many versions. */
async function changed(store: TaskStore, taskId: string, versions: number): Promise<void> {
  const from = (await store.get(taskId))?.version ?? 0;
  while (((await store.get(taskId))?.version ?? 0) < from + versions) await new Promise(setImmediate);
}

describe('F18 claims over DynamoDB', () => {
  let emulators: TestEmulators;
  let store: TaskStore;
  let client: ReturnType<typeof createDynamoClient>;
  beforeAll(async () => {
    emulators = await startEmulators();
    client = createDynamoClient(emulators.clientOptions());
    await createTables(client);
    store = createDynamoTaskStore(client, 'tasks');
  });
  afterAll(async () => {
    client.destroy();
    await emulators.close();
  });

  it('64 claimers at once: exactly one winner each', { timeout: 60_000 }, async () => {
    const race: Race = { store: {}, name: 'sixty-four', tasks: 10, racers: [] };
    await makeTasks(store, race, 'cloud');
    const winners = new Map<number, string[]>();
    for (let i = 0; i < race.tasks; i++) {
      const answers = Array.from({ length: 64 }, async (_, n) => {
        const owner = `agent-${n}`;
        const answer = await store.claim({
          taskId: taskIdOfMail(`sixty-four-${i}`),
          owner,
          attemptId: owner,
          zone: 'local',
          from: ['needs_action'],
          to: 'drafting',
          leaseMs: 1,
        });
        return answer.won ? [owner] : [];
      });
      winners.set(i, (await Promise.all(answers)).flat());
    }
    await expectOneWinnerEach(store, race, winners);
  });

  it(
    'local agents against the cloud, in processes of their own: exactly one winner each',
    { timeout: 120_000 },
    async () => {
      const racers = [
        ...['laptop', 'desktop'].map((owner) => ({ owner, zone: 'local' as const })),
        ...['cloud', 'cloud-2'].map((owner) => ({ owner, zone: 'cloud' as const })),
      ];
      const options = emulators.clientOptions();
      const race: Race = { store: { kind: 'dynamodb', options }, name: 'zones', tasks: 150, racers };
      await makeTasks(store, race, 'cloud');
      const winners = await runRace(race);
      await expectOneWinnerEach(store, race, winners);
      expect(new Set([...winners.values()].flat()).size).toBeGreaterThan(1);
    },
  );
});
