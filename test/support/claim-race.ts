import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { TaskStore } from '#protocol/ports.ts';
import type { Zone } from '#protocol/task.ts';

const CLAIMER = fileURLToPath(new URL('../contract/fixtures/claimer.ts', import.meta.url));

/** One process of a race. */
export interface Racer {
  readonly owner: string;
  readonly zone: Zone;
}

/** A race for tasks between processes. */
export interface Race {
  /** Where the tasks are, as the fixture `claimer.ts` takes it. */
  readonly store: object;
  readonly name: string;
  readonly tasks: number;
  readonly racers: readonly Racer[];
  /** Claims that one process has under way at a time. @default 4 */
  readonly lanes?: number;
}

/** Puts the tasks of a race where they can be claimed by anybody. */
export async function makeTasks(store: TaskStore, { name, tasks }: Race, home: Zone): Promise<void> {
  const waiting = Array.from({ length: tasks }, (_, i) => taskIdOfMail(`${name}-${i}`));
  const lane = async (): Promise<void> => {
    for (let taskId = waiting.pop(); taskId !== undefined; taskId = waiting.pop()) {
      await store.mend({ taskId, seenVersion: undefined, state: 'needs_action', home, epoch: 0 });
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

/** Starts all processes, lets them go at once, and answers who won which task, by its number. */
export async function runRace(race: Race): Promise<Map<number, string[]>> {
  const children = await Promise.all(race.racers.map((racer) => startClaimer(race, racer)));
  const winners = new Map<number, string[]>();
  const ends = children.map(async (child, index) => {
    const [message] = (await once(child, 'message')) as [{ won: number[] }];
    const owner = race.racers[index]?.owner ?? '';
    for (const i of message.won) winners.set(i, [...(winners.get(i) ?? []), owner]);
    await once(child, 'exit');
  });
  for (const child of children) child.send('go');
  await Promise.all(ends);
  return winners;
}

/** Starts a process of a race; it waits for a message. */
export async function startClaimer(race: Race, racer: Racer, forever = false): Promise<ChildProcess> {
  const { store, name, tasks, lanes = 4 } = race;
  const child = fork(CLAIMER, [JSON.stringify({ store, race: name, tasks, lanes, forever, ...racer })], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  await once(child, 'message');
  return child;
}
