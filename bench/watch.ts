import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import { median } from './measure.ts';
import { makeNoteTree } from './note-tree.ts';

/** What a process that watches reports. `heardMs`: from a write until it was told of a change. */
export const Watched = z.object({ readyMs: z.number(), memoryKb: z.number(), heardMs: z.number() });
export type Watched = z.infer<typeof Watched>;

/** Watching a vault: until it is ready, and what it holds in memory, in a process of its own each time. */
export const watch: Benchmark = {
  name: 'watch',
  about: 'watching 10,000 notes: time until ready and memory, beside chokidar',
  async *run({ rounds, notes }, log) {
    const folder = await mkdtemp(path.join(tmpdir(), 'bench-watch-'));
    try {
      log(`${rounds} processes of each kind over ${notes} notes`);
      makeNoteTree(folder, notes);
      const [ours, chokidar]: [Watched[], Watched[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        ours.push(await watchApart('ours', folder));
        chokidar.push(await watchApart('chokidar', folder));
      }
      for (const [name, of] of [
        ['ready-ms', 'readyMs'],
        ['memory-kb', 'memoryKb'],
      ] as const) {
        const middle = (runs: readonly Watched[]): number => median(runs.map((run) => run[of]));
        const measured = { value: middle(ours), anchor: middle(chokidar) };
        yield figureOf(`watch/${name}`, measured, { of: 'ratio', is: '<=', limit: 0.1 });
      }
      const heard = { value: median(ours.map(({ heardMs }) => heardMs)) };
      yield figureOf('watch/heard-ms', heard, { of: 'value', is: '<=', limit: 1000 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function watchApart(kind: 'ours' | 'chokidar', folder: string): Promise<Watched> {
  const file = fileURLToPath(new URL('./watch-process.ts', import.meta.url));
  const execArgv = ['--expose-gc', '--disable-warning=ExperimentalWarning'];
  const child = fork(file, [kind, folder], { execArgv });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`watching with ${kind} failed`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as unknown[];
  child.disconnect();
  await ended.catch(() => undefined);
  return Watched.parse(message);
}
