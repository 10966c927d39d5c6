import { InvariantError } from './invariants/auditor.ts';
import type { Auditor } from './invariants/auditor.ts';
import { makeAuditors } from './invariants/all.ts';
import { beginMails } from './world/ses.ts';
import { attack } from './world/attacks.ts';
import { Amid } from './world/amid.ts';
import { collect } from './world/collect.ts';
import { cutLedger } from './world/cut-ledger.ts';
import { doDeed } from './world/deeds.ts';
import { KeyKeeper } from './world/key-keeper.ts';
import { Backups, befall } from './world/mishaps.ts';
import type { World } from './world/world.ts';

/** What came of a world. */
export interface Verdict {
  /** Which promise was broken, if one was. */
  readonly violation?: { readonly invariant: string; readonly message: string };
}

const HOUR_MS = 3_600_000;
/** Longer than any lease, back-off or visibility timeout: what did not move for so long does not move any more. */
const REST_MS = 3 * HOUR_MS;
const MAX_CALM_MS = 96 * HOUR_MS;

/** Lets everything happen that the plan says, then waits until the world rests, and asks all auditors. */
export async function runWorld(world: World): Promise<Verdict> {
  try {
    schedule(world);
    // After those who act amid a call: auditors look at what it is about to meet.
    const auditors = makeAuditors(world);
    for (const auditor of auditors) world.kernel.watch(auditor);
    for (const machine of world.machines.values()) machine.startDaemon();
    await advance(world, world.plan.lengthMs);
    await comeToRest(world);
    await askAtEnd(world, auditors);
    return {};
  } catch (error) {
    if (!(error instanceof InvariantError)) throw error;
    return { violation: { invariant: error.invariant, message: error.message } };
  }
}

function schedule(world: World): void {
  const { kernel, plan } = world;
  const { scheduler, trace } = kernel;
  beginMails(world);
  const backups = new Backups(world);
  if (plan.mishaps.some(({ what }) => what.endsWith('restored'))) backups.keep(plan.lengthMs);
  const amid = new Amid(world);
  for (const deed of plan.deeds) amid.plan(deed, deed.what, () => doDeed(world, deed));
  for (const mishap of plan.mishaps)
    amid.plan(mishap, `${mishap.what} ${Math.round(mishap.ms / 1000)} s`, () =>
      befall(world, backups, mishap),
    );
  for (const each of plan.collections)
    amid.plan(each, `${each.by} collects garbage`, () => collect(world, each));
  for (const each of plan.cuts)
    amid.plan(each, `the ledger loses ${each.entries} entries`, () => cutLedger(world, each));
  const keeper = new KeyKeeper(world);
  for (const each of plan.rotations)
    amid.plan(each, `laptop renews its keys${each.compromised ? ' after a compromise' : ''}`, () =>
      keeper.rotate(each),
    );
  scheduler.at(plan.lengthMs, () => amid.end());
  for (const each of plan.attacks) {
    scheduler.at(each.atMs, () => {
      trace.note(scheduler.nowMs, each.id, each.what);
      attack(world, each);
    });
  }
}

/** @throws {InvariantError} the first that an auditor throws meanwhile. */
async function advance(world: World, untilMs: number): Promise<void> {
  const { kernel } = world;
  await kernel.scheduler.runUntil(untilMs, () => kernel.failure === undefined);
  if (kernel.failure !== undefined) throw kernel.failure as Error;
}

/** No fault any more, every machine awake with its disk: the world has to come to rest by itself. */
async function comeToRest(world: World): Promise<void> {
  const { kernel, cloud } = world;
  const { scheduler, trace } = kernel;
  trace.note(scheduler.nowMs, 'world', 'calms down');
  world.calm();
  for (const machine of world.machines.values()) {
    machine.host.asleepUntilMs = 0;
    machine.host.cutOffUntilMs = 0;
    machine.host.diskFull = false;
    machine.isMounted = true;
  }
  const stillSince = { atMs: scheduler.nowMs, state: '' };
  const endMs = scheduler.nowMs + MAX_CALM_MS;
  while (scheduler.nowMs - stillSince.atMs < REST_MS) {
    if (scheduler.nowMs > endMs)
      throw new InvariantError('9', `the world does not come to rest: ${restlessness(world)}`);
    await advance(world, scheduler.nowMs + HOUR_MS / 4);
    const state = `${restlessness(world)} ${cloud.inbound.size} ${cloud.drafting.size}`;
    if (state === stillSince.state && cloud.inbound.size + cloud.drafting.size === 0) continue;
    Object.assign(stillSince, { atMs: scheduler.nowMs, state });
  }
}

/** What changes as long as anything does. */
function restlessness({ cloud, machines }: World): string {
  const trees = [...machines.values()].map((machine) =>
    [...machine.tree()].map(([path, text]) => `${path}:${text.length}`).join(),
  );
  // Not their heartbeats: a claim that is held is renewed for ever.
  const items = [...cloud.tasks.items.values()].map(
    ({ state, owner, epoch }) => `${state} ${owner ?? '-'} ${epoch}`,
  );
  return `${cloud.ledger.rows.length} entries, items ${items.join()}, trees ${trees.join(' | ')}`;
}

/**
 * Asks each auditor what it has to say in the end. They may let machines do things, so that time goes on meanwhile.
 *
 * @throws {InvariantError}
 */
export async function askAtEnd(world: World, auditors: readonly Auditor[]): Promise<void> {
  for (const auditor of auditors) {
    if (!auditor.atEnd) continue;
    let outcome: { readonly error?: unknown } | undefined;
    Promise.resolve()
      .then(() => auditor.atEnd?.())
      .then(
        () => (outcome = {}),
        (error: unknown) => (outcome = { error }),
      );
    while (!outcome) await advance(world, world.kernel.scheduler.nowMs + 60_000);
    if (outcome.error !== undefined) throw outcome.error as Error;
  }
}
