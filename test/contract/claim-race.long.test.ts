import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createFileTaskStore } from '#adapters/file-task-store.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { makeTasks, runRace } from '#test/support/claim-race.ts';
import type { Race } from '#test/support/claim-race.ts';

it('F18 8 processes claim 5,000 tasks of the local store: exactly one winner each', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'claim-race-'));
  try {
    const racers = Array.from({ length: 8 }, (_, i) => ({ owner: `agent-${i}`, zone: 'local' as const }));
    const race: Race = { store: { kind: 'files', folder }, name: 'race', tasks: 5000, racers };
    const store = createFileTaskStore(folder);
    await makeTasks(store, race, 'local');
    const started = performance.now();
    const winners = await runRace(race);
    console.log(`${racers.length} × ${race.tasks} claims: ${Math.round(performance.now() - started)} ms`);
    expect(winners.size).toBe(race.tasks);
    for (let i = 0; i < race.tasks; i++) {
      const task = await store.get(taskIdOfMail(`race-${i}`));
      expect([task?.owner]).toEqual(winners.get(i));
      expect(task?.epoch).toBe(1);
    }
    expect(new Set([...winners.values()].flat()).size).toBeGreaterThan(1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
