import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Benchmark, BenchmarkOptions } from './benchmark.ts';
import { figureOf } from './figure.ts';
import type { Figure } from './figure.ts';
import { median } from './measure.ts';
import { makeNoteTree } from './note-tree.ts';
import { findRclone } from './rclone.ts';
import { createSyncWorld, openResident, settle, syncOnce } from './sync-world.ts';
import type { Measured, SyncWorld } from './sync-world.ts';

type Log = (line: string) => void;

/** Each run of bisync asks for every object; one is enough to see the order of magnitude. */
const BISYNC_ROUNDS = 1;

/** A sync when nothing has changed: what a daemon does all day. */
export const syncIdle: Benchmark = {
  name: 'sync-idle',
  about: 'a sync with nothing to do, beside rclone and a bare walk',
  async *run(options, log) {
    const world = await createSyncWorld();
    try {
      const small = await oursIdle(world, options.notes, options.rounds, log);
      yield* figuresOf(options.notes, small, 300);
      yield* await besideRclone(world, options, small, log);
      const large = await oursIdle(world, options.manyNotes, options.rounds, log);
      yield* figuresOf(options.manyNotes, large, 1500);
    } finally {
      await world.close();
    }
  },
};

interface Idle {
  /** By a resident agent, as the daemon syncs. */
  readonly ms: number;
  /** From the ledger's copy on disk to the end: a sync by an agent that was opened for it. */
  readonly openedMs: number;
  readonly walkMs: number;
  readonly calls: number;
  readonly bodiesRead: number;
}

async function oursIdle(world: SyncWorld, notes: number, rounds: number, log: Log): Promise<Idle> {
  const machine = await world.firstMachine(`idle-${notes}`);
  log(`writing and uploading ${notes} notes`);
  makeNoteTree(machine.vault, notes);
  await syncOnce(machine);
  const resident = await openResident(machine);
  try {
    await settle(resident);
    log(`${rounds} syncs of ${notes} notes with nothing to do`);
    const [idle, opened, walks]: [Measured[], number[], number[]] = [[], [], []];
    const before = resident.bodiesRead();
    for (let round = 0; round < rounds; round++) {
      idle.push(await world.measure(async () => void (await resident.sync())));
      const startedMs = performance.now();
      walk(machine.vault);
      walks.push(performance.now() - startedMs);
    }
    const bodiesRead = (resident.bodiesRead() - before) / rounds;
    for (let round = 0; round < Math.min(rounds, 5); round++) {
      opened.push((await world.measure(async () => void (await syncOnce(machine)))).ms);
    }
    return {
      ms: median(idle.map(({ ms }) => ms)),
      openedMs: median(opened),
      walkMs: median(walks),
      calls: Math.max(...idle.map(({ calls }) => calls)),
      bodiesRead,
    };
  } finally {
    await resident.close();
  }
}

function* figuresOf(notes: number, idle: Idle, limitMs: number): Generator<Figure> {
  const name = (figure: string): string => `sync-idle/${notes}-notes-${figure}`;
  const anchor = idle.walkMs;
  const budget = { of: 'value', is: '<=', limit: limitMs } as const;
  yield figureOf(name('ms'), { value: idle.ms, anchor }, budget);
  yield figureOf(name('opened-for-it-ms'), { value: idle.openedMs, anchor }, budget);
  yield figureOf(name('calls'), { value: idle.calls }, { of: 'value', is: '<=', limit: 1 });
  yield figureOf(name('bodies-read'), { value: idle.bodiesRead }, { of: 'value', is: '<=', limit: 0 });
}

/** What anybody has to do who looks at every file: list each folder, stat each file. */
function walk(folder: string): number {
  let files = 0;
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, item.name);
    if (item.isDirectory()) files += walk(file);
    else files += lstatSync(file).isFile() ? 1 : 0;
  }
  return files;
}

async function besideRclone(
  world: SyncWorld,
  { notes, rounds }: BenchmarkOptions,
  ours: Idle,
  log: Log,
): Promise<Figure[]> {
  const rclone = await findRclone(world.options, world.folder);
  if (!rclone) {
    log('rclone is not installed: its figures are left out');
    return [];
  }
  log(`rclone with the same notes: ${rounds} idle syncs, and bisync`);
  const { folder } = makeNoteTree(path.join(world.folder, 'rclone-idle'), notes);
  const bucket = await world.newBucket();
  await rclone.sync(folder, bucket);
  const best: Measured[] = [];
  for (let round = 0; round < rounds; round++)
    best.push(await world.measure(() => rclone.sync(folder, bucket)));
  await rclone.bisync(folder, bucket, true);
  const both: Measured[] = [];
  for (let round = 0; round < BISYNC_ROUNDS; round++)
    both.push(await world.measure(() => rclone.bisync(folder, bucket)));
  const [bestMs, bisyncMs] = [best, both].map((runs) => median(runs.map(({ ms }) => ms)));
  const of = (runs: readonly Measured[]): number => median(runs.map(({ calls }) => calls));
  const beside = (anchor: number | undefined): { value: number; anchor: number } => ({
    value: ours.ms,
    anchor: anchor ?? Number.NaN,
  });
  return [
    figureOf('sync-idle/beside-rclone-best-ms', beside(bestMs), { of: 'ratio', is: '<=', limit: 1 }),
    figureOf('sync-idle/beside-rclone-bisync-ms', beside(bisyncMs), { of: 'ratio', is: '<=', limit: 0.05 }),
    figureOf(
      'sync-idle/beside-rclone-bisync-calls',
      { value: ours.calls, anchor: of(both) },
      { of: 'value', is: '<=', limit: 1 },
    ),
  ];
}
