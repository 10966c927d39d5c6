import path from 'node:path';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import type { Budget, Figure } from './figure.ts';
import { createGitPeer } from './git-peer.ts';
import { median } from './measure.ts';
import { editTree, makeNoteTree } from './note-tree.ts';
import { findRclone } from './rclone.ts';
import { createSyncWorld, openResident, syncOnce } from './sync-world.ts';
import type { Measured, SyncWorld } from './sync-world.ts';

/** A round trip between a home and a region that is not far. */
const ROUND_TRIP_MS = 30;
const BISYNC_ROUNDS = 1;

/** A morning's work in a vault of 10,000 notes: 100 edits, 10 renames, 10 deletes. */
export const syncDelta: Benchmark = {
  name: 'sync-delta',
  about: '100 edits, 10 renames and 10 deletes in 10,000 notes, beside rclone and git',
  async *run({ rounds, notes }, log) {
    const world = await createSyncWorld();
    try {
      const ours = await measureOurs(world, rounds, notes, log);
      const peers = await measurePeers(world, rounds, notes, log);
      const figure = (name: string, measured: Kind, limit: number, anchor?: readonly Measured[]): Figure => {
        const budget: Budget = { of: 'value', is: '<=', limit };
        const value = middle(ours[measured.runs], measured.of);
        return figureOf(
          `sync-delta/${name}`,
          anchor ? { value, anchor: middle(anchor, measured.of) } : { value },
          budget,
        );
      };
      yield figure('up-ms', { runs: 'up', of: 'ms' }, 1000, peers.rclone);
      yield figure('up-calls', { runs: 'up', of: 'calls' }, 5, peers.rclone);
      yield figure('up-beside-bisync-ms', { runs: 'up', of: 'ms' }, 1000, peers.bisync);
      yield figure('up-beside-bisync-calls', { runs: 'up', of: 'calls' }, 5, peers.bisync);
      yield figure('up-beside-git-ms', { runs: 'up', of: 'ms' }, 1000, peers.git);
      yield figure('down-ms', { runs: 'down', of: 'ms' }, 1000);
      yield figure('down-calls', { runs: 'down', of: 'calls' }, 5);
      yield figure(`up-${ROUND_TRIP_MS}-ms-away-ms`, { runs: 'upFar', of: 'ms' }, 1500);
      yield figure(`down-${ROUND_TRIP_MS}-ms-away-ms`, { runs: 'downFar', of: 'ms' }, 1500);
    } finally {
      await world.close();
    }
  },
};

interface Ours {
  readonly up: Measured[];
  readonly down: Measured[];
  readonly upFar: Measured[];
  readonly downFar: Measured[];
}

interface Kind {
  readonly runs: keyof Ours;
  readonly of: 'ms' | 'calls';
}

async function measureOurs(
  world: SyncWorld,
  rounds: number,
  notes: number,
  log: (line: string) => void,
): Promise<Ours> {
  const ours: Ours = { up: [], down: [], upFar: [], downFar: [] };
  const laptop = await world.firstMachine('delta-laptop', true);
  log(`writing ${notes} notes, uploading them, and restoring them on a second machine`);
  const tree = makeNoteTree(laptop.vault, notes);
  await syncOnce(laptop);
  const desktop = await world.addMachine(laptop, 'delta-desktop');
  await syncOnce(desktop);
  const [here, there] = [await openResident(laptop), await openResident(desktop)];
  try {
    await here.sync();
    await there.sync();
    log(`${rounds} rounds of changes, then ${rounds} with ${ROUND_TRIP_MS} ms added to each call`);
    for (let round = 0; round < 2 * rounds; round++) {
      const isFar = round >= rounds;
      await world.delayCalls(isFar ? ROUND_TRIP_MS : 0);
      editTree(tree, round);
      const up = await world.measure(async () => void (await here.sync()));
      const down = await world.measure(async () => void (await there.sync()));
      (isFar ? ours.upFar : ours.up).push(up);
      (isFar ? ours.downFar : ours.down).push(down);
    }
  } finally {
    await here.close();
    await there.close();
  }
  return ours;
}

interface Peers {
  readonly rclone?: Measured[];
  readonly bisync?: Measured[];
  readonly git: Measured[];
}

async function measurePeers(
  world: SyncWorld,
  rounds: number,
  notes: number,
  log: (line: string) => void,
): Promise<Peers> {
  log('the same changes with git, to a repository on the same disk');
  const tracked = makeNoteTree(path.join(world.folder, 'git'), notes);
  const git = await createGitPeer(tracked.folder, path.join(world.folder, 'remote.git'));
  await git.commitAndPush('all notes');
  const commits = await runs(rounds, async (round) => {
    editTree(tracked, round);
    return world.measure(() => git.commitAndPush(`round ${round}`));
  });
  const rclone = await findRclone(world.options, world.folder);
  if (!rclone) {
    log('rclone is not installed: its figures are left out');
    return { git: commits };
  }
  log('the same changes with rclone');
  const tree = makeNoteTree(path.join(world.folder, 'rclone'), notes);
  const bucket = await world.newBucket();
  await rclone.sync(tree.folder, bucket);
  const best = await runs(rounds, async (round) => {
    editTree(tree, round);
    return world.measure(() => rclone.sync(tree.folder, bucket));
  });
  await rclone.bisync(tree.folder, bucket, true);
  const both = await runs(BISYNC_ROUNDS, async (round) => {
    editTree(tree, rounds + round);
    return world.measure(() => rclone.bisync(tree.folder, bucket));
  });
  return { git: commits, rclone: best, bisync: both };
}

async function runs(rounds: number, run: (round: number) => Promise<Measured>): Promise<Measured[]> {
  const all: Measured[] = [];
  for (let round = 0; round < rounds; round++) all.push(await run(round));
  return all;
}

function middle(measured: readonly Measured[], of: 'ms' | 'calls'): number {
  return median(measured.map((run) => run[of]));
}
