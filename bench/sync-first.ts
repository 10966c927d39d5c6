import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import { createGitPeer } from './git-peer.ts';
import { median } from './measure.ts';
import { makeNoteTree } from './note-tree.ts';
import { findRclone } from './rclone.ts';
import { createSyncWorld, syncOnce } from './sync-world.ts';
import type { Measured, SyncWorld } from './sync-world.ts';

/** A round moves everything twice and takes seconds; five of them are enough, of the peers fewer. */
const MAX_ROUNDS = 5;
const PEER_ROUNDS = 3;

/** The first upload of a vault, and a machine that is set up anew from it. */
export const syncFirst: Benchmark = {
  name: 'sync-first',
  about: 'first upload and fresh restore of 10,000 notes (20 MB), beside rclone and git',
  async *run({ rounds, notes }, log) {
    const world = await createSyncWorld();
    try {
      const ours = await rowOf(Math.min(rounds, MAX_ROUNDS), (round) => {
        log(`ours, round ${round + 1}`);
        return runOurs(world, notes, round);
      });
      const peerRounds = Math.min(rounds, PEER_ROUNDS);
      log('git');
      const git = await rowOf(peerRounds, (round) => runGit(world, notes, round));
      log('rclone');
      const rclone = await rowOf(peerRounds, (round) => runRclone(world, notes, round));
      if (rclone.length === 0) log('rclone is not installed: its figures are left out');
      for (const way of ['up', 'down'] as const) {
        const value = middle(ours, way, 'ms');
        const msBudget = { of: 'value', is: '<=', limit: 6000 } as const;
        const callBudget = { of: 'value', is: '<=', limit: 30 } as const;
        yield figureOf(
          `sync-first/${way}-beside-git-ms`,
          { value, anchor: middle(git, way, 'ms') },
          msBudget,
        );
        const calls = middle(ours, way, 'calls');
        const [ms, callsOfRclone] = [middle(rclone, way, 'ms'), middle(rclone, way, 'calls')];
        const has = rclone.length > 0;
        yield figureOf(`sync-first/${way}-ms`, has ? { value, anchor: ms } : { value }, msBudget);
        yield figureOf(
          `sync-first/${way}-calls`,
          has ? { value: calls, anchor: callsOfRclone } : { value: calls },
          callBudget,
        );
      }
    } finally {
      await world.close();
    }
  },
};

interface BothWays {
  readonly up: Measured;
  readonly down: Measured;
}

async function runOurs(world: SyncWorld, notes: number, round: number): Promise<BothWays> {
  const laptop = await world.firstMachine(`first-laptop-${round}`);
  makeNoteTree(laptop.vault, notes);
  const up = await world.measure(async () => {
    const { pushed } = await syncOnce(laptop);
    if (pushed !== notes) throw new Error(`${pushed} of ${notes} notes were uploaded`);
  });
  const desktop = await world.addMachine(laptop, `first-desktop-${round}`);
  const down = await world.measure(async () => {
    const { applied } = await syncOnce(desktop);
    if (applied < notes) throw new Error(`${applied} of ${notes} notes were restored`);
  });
  for (const { vault } of [laptop, desktop]) rmSync(vault, { recursive: true });
  return { up, down };
}

async function runGit(world: SyncWorld, notes: number, round: number): Promise<BothWays> {
  const [folder, remote, clone] = ['git', 'remote', 'clone'].map((name) =>
    path.join(world.folder, `${name}-${round}`),
  ) as [string, string, string];
  makeNoteTree(folder, notes);
  const git = await createGitPeer(folder, remote);
  const up = await world.measure(() => git.commitAndPush('all notes'));
  const down = await world.measure(() => git.clone(clone));
  for (const used of [folder, remote, clone]) rmSync(used, { recursive: true });
  return { up, down };
}

async function runRclone(world: SyncWorld, notes: number, round: number): Promise<BothWays | undefined> {
  const rclone = await findRclone(world.options, world.folder);
  if (!rclone) return undefined;
  const [folder, restored] = ['rclone', 'restored'].map((name) =>
    path.join(world.folder, `${name}-${round}`),
  ) as [string, string];
  makeNoteTree(folder, notes);
  const bucket = await world.newBucket();
  const up = await world.measure(() => rclone.sync(folder, bucket));
  const down = await world.measure(() => rclone.restore(bucket, restored));
  for (const used of [folder, restored]) rmSync(used, { recursive: true });
  return { up, down };
}

async function rowOf(
  rounds: number,
  run: (round: number) => Promise<BothWays | undefined>,
): Promise<BothWays[]> {
  const row: BothWays[] = [];
  for (let round = 0; round < rounds; round++) {
    const measured = await run(round);
    if (!measured) return [];
    row.push(measured);
  }
  return row;
}

function middle(row: readonly BothWays[], way: 'up' | 'down', of: 'ms' | 'calls'): number {
  return row.length === 0 ? Number.NaN : median(row.map((round) => round[way][of]));
}
