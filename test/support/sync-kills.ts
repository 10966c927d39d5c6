import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulators } from './emulators.ts';
import type { TestEmulators } from './emulators.ts';
import { KillMoments } from './kill-moments.ts';
import { contentsInHistory } from './ledger-contents.ts';
import { addMachine, machineIn, setUpFirstMachine, stackOfEmulators } from './owner-machines.ts';
import type { OwnerMachine } from './owner-machines.ts';
import { createRestlessEditor } from './restless-editor.ts';
import type { RestlessEditor } from './restless-editor.ts';
import { seededRandom } from './seeded-random.ts';
import { startSyncProcess } from './sync-process.ts';
import type { SyncEnd, SyncProcess } from './sync-process.ts';
import { readTree } from './vault-tree.ts';
import { VersionBook } from './version-book.ts';

/** A run that says which seed it took can be repeated with it. */
const SEED = Number(process.env['KILL_SEED'] ?? randomInt(2 ** 31));
const CLI = path.resolve(import.meta.dirname, '../../local-agent/cli.ts');
const MAX_ROUNDS_TO_REST = 12;

interface Desk extends OwnerMachine {
  readonly process: SyncProcess;
  readonly editor: RestlessEditor;
}

/**
 * Two machines of one owner sync over real emulators while somebody works in both vaults; the syncing processes are
 * killed with SIGKILL at random moments and started again.
 */
export function describeSyncKills(title: string, kills: number): void {
  describe('employee sync', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'employee-sync-kill-'));
    const random = seededRandom(SEED);
    const book = new VersionBook();
    let emulators: TestEmulators;
    let desks: Desk[] = [];

    beforeAll(async () => {
      emulators = await startEmulators();
      const machines = await setUp(emulators, folder);
      let made = 0;
      const fresh = (): string => `n${++made}`;
      desks = machines.map((machine) => ({
        ...machine,
        process: startSyncProcess(machine),
        editor: createRestlessEditor({ machine, book, random, fresh }),
      }));
    }, 60_000);
    afterAll(async () => {
      await Promise.all(desks.map((desk) => desk.process.close()));
      await emulators.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it(title, { timeout: 60_000 + kills * 5_000 }, async () => {
      console.info(`seed ${SEED}`);
      const startedMs = performance.now();
      const phases = await work(desks, book, random, kills);
      await rest(desks);
      const tookMs = Math.round(performance.now() - startedMs);
      const shown = Object.entries(phases).sort(([, a], [, b]) => b - a);
      console.info(
        `${kills} kills in ${tookMs} ms, ${book.count} versions written; killed in`,
        Object.fromEntries(shown),
      );
      await checkEnd(desks, book);
    });
  });
}

async function setUp(emulators: TestEmulators, folder: string): Promise<OwnerMachine[]> {
  await emulators.createTable('tasks', { taskId: 'S' });
  await emulators.createTable('ledger', { vaultId: 'S', n: 'N' });
  await emulators.platform.createBucket('vault');
  const secret = await emulators.platform.json('secretsmanager', 'CreateSecret', { Name: 'vault' });
  const { ARN } = secret as { ARN: string };
  const [laptop, desktop] = [machineIn(folder, 'laptop'), machineIn(folder, 'desktop')];
  await setUpFirstMachine(stackOfEmulators(emulators.clientOptions(), ARN), laptop);
  await addMachine(laptop, desktop);
  return [laptop, desktop];
}

/** Works and kills until `kills` syncs were killed. @returns how many were killed in which phase */
async function work(
  desks: readonly Desk[],
  book: VersionBook,
  random: () => number,
  kills: number,
): Promise<Record<string, number>> {
  const phases: Record<string, number> = {};
  const [laptop, desktop] = desks;
  if (!laptop || !desktop) throw new Error('two machines were set up');
  for (const { editor } of desks) for (let i = 0; i < 60; i++) editor.act();
  const moments = new KillMoments(random);
  const run = async (desk: Desk, isToBeKilled: boolean): Promise<void> => {
    await desk.process.ready();
    const completed = book.syncBegins(desk.name);
    const startedMs = performance.now();
    const kill = isToBeKilled ? moments.draw() : undefined;
    const ended = desk.process.sync(kill && 'nth' in kill ? kill : undefined);
    const ending = new AbortController();
    const acts: Promise<void>[] = [];
    // Moments in its run are the input of this test, not a wait for something.
    const at = (ms: number, act: () => void): void => {
      acts.push(after(ms, undefined, { signal: ending.signal }).then(act, () => undefined));
    };
    if (kill && 'afterMs' in kill) at(kill.afterMs, () => desk.process.kill());
    for (let edits = Math.floor(random() * 3); edits > 0; edits--) at(moments.ms, () => desk.editor.act());
    const end = await ended;
    ending.abort();
    await Promise.all(acts);
    if (end.end === 'failed') throw new Error(`a sync of ${desk.name} failed: ${end.why}`);
    if (end.end === 'killed') phases[end.phase] = (phases[end.phase] ?? 0) + 1;
    else {
      completed();
      moments.completed(performance.now() - startedMs, end.calls);
    }
  };
  while (Object.values(phases).reduce((sum, count) => sum + count, 0) < kills) {
    for (const { editor } of desks) for (let i = Math.floor(random() * 4); i > 0; i--) editor.act();
    const [mine, other] = random() < 0.65 ? [laptop, desktop] : [desktop, laptop];
    // Some of the time both sync at once.
    await Promise.all([run(mine, random() < 0.9), ...(random() < 0.3 ? [run(other, false)] : [])]);
  }
  return phases;
}

/** Both machines sync until nothing moves any more. */
async function rest(desks: readonly Desk[]): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS_TO_REST; round++) {
    const ends: SyncEnd[] = [];
    for (const desk of desks) ends.push(await desk.process.sync());
    const failed = ends.find(({ end }) => end !== 'synced');
    if (failed) throw new Error(`a sync at the end did not complete: ${JSON.stringify(failed)}`);
    if (ends.every((end) => end.end === 'synced' && end.applied === 0 && end.pushed === 0)) return;
  }
  throw new Error(`the machines still exchange changes after ${MAX_ROUNDS_TO_REST} rounds`);
}

async function checkEnd(desks: readonly Desk[], book: VersionBook): Promise<void> {
  const [laptop, desktop] = desks;
  if (!laptop || !desktop) throw new Error('two machines were set up');
  const trees = desks.map(({ vault }) => readTree(vault));
  expect(trees[0]?.contents).toEqual(trees[1]?.contents);

  const heads = await Promise.all(desks.map(async (desk) => headOf(await desk.process.sync())));
  expect(heads[0]).toBe(heads[1]);
  expect(desks.map(({ vault }) => readTree(vault))).toEqual(trees);

  const kept = await contentsInHistory(laptop);
  for (const sha256 of Object.values(trees[0]?.contents ?? {})) kept.add(sha256);
  const lost = book.owed().filter((sha256) => !kept.has(sha256));
  expect(lost, `${book.owed().length} of ${book.count} versions have to be somewhere`).toEqual([]);

  for (const desk of desks) expect(await verify(desk)).toMatchObject({ code: 0 });
}

function verify({ configFile }: OwnerMachine): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ['--disable-warning=ExperimentalWarning', CLI, 'verify', '--config', configFile];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

function headOf(end: SyncEnd): number {
  if (end.end !== 'synced') throw new Error(`a last sync did not complete: ${JSON.stringify(end)}`);
  expect({ applied: end.applied, pushed: end.pushed }).toEqual({ applied: 0, pushed: 0 });
  return end.head;
}
