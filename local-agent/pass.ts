import { shortId } from '#protocol/ids.ts';
import { folderOfState } from './open-agent.ts';
import type { Agent } from './agent.ts';
import type { ClaimObserver } from './claims/observe-claims.ts';
import { executeApproved } from './execute.ts';
import { inbox } from './inbox.ts';
import type { InboxItem } from './inbox.ts';
import { incidentsOf } from './incidents.ts';
import { acquireLock } from './lock.ts';
import { readPolicy } from './policy-file.ts';
import { previewTasks } from './preview-cache.ts';
import type { Preview } from './show.ts';
import { syncVault } from './sync/sync.ts';
import { syncWords } from './sync/sync-words.ts';
import { writeCheckpoint } from './write-checkpoint.ts';

/** What the desk shows: the state after a pass, whole, so that showing it needs no lock. */
export interface Snapshot {
  readonly at: string;
  readonly agent: string;
  readonly vault: string;
  readonly head: number;
  readonly waiting: readonly Preview[];
  readonly others: readonly InboxItem[];
  readonly incidents: readonly string[];
}

/** Lines for the log and the state after it. */
export interface PassReport {
  readonly lines: readonly string[];
  readonly snapshot: Snapshot;
}

/** One pass of the daemon, under the lock; parameters as of `makePass`. */
export async function runPass(
  agent: Agent,
  configFile: string,
  before: Snapshot | undefined,
  observer?: ClaimObserver,
): Promise<PassReport> {
  const lock = await acquireLock(folderOfState(configFile), agent.log);
  try {
    return await makePass(agent, before, observer);
  } finally {
    lock.release();
  }
}

/**
 * One pass, by whoever holds the lock: sync, then run what is approved and old enough.
 *
 * @param before the last snapshot; it is kept where nothing moved.
 * @param observer looks after claims, over all passes of a process.
 */
export async function makePass(
  agent: Agent,
  before: Snapshot | undefined,
  observer?: ClaimObserver,
): Promise<PassReport> {
  const synced = await syncVault(agent);
  const takenOver = (await observer?.pass(agent)) ?? [];
  const { undoSeconds } = await readPolicy(agent.files);
  const { executed, refused, needsPerson } = await executeApproved(agent, { undoSeconds });
  await writeCheckpoint(agent);
  const still = before?.head === agent.session.state.head.n && synced.applied === 0;
  return {
    lines: [
      ...(synced.pulled + synced.applied + synced.pushed > 0 ? [`sync: ${syncWords(synced)}`] : []),
      ...synced.wishes.map(({ taskId, wish, outcome }) => `${shortId(taskId)} ${wish}: ${outcome}`),
      ...synced.explained,
      ...takenOver,
      ...synced.conflicts.map((path) => `both versions kept: ${path}`),
      ...synced.newlyWithheld.map(({ path, why }) => `${path} stays on this machine: ${why}`),
      ...synced.incidents.map(({ n, writer, message }) => `INCIDENT entry ${n} by ${writer}: ${message}`),
      ...executed.map(({ taskId, outcome, providerId }) =>
        `${shortId(taskId)} ${outcome} ${providerId ?? ''}`.trimEnd(),
      ),
      ...refused.map(({ taskId, why }) => `${shortId(taskId)} refused: ${why}`),
      ...needsPerson.map(({ taskId, why }) => `${shortId(taskId)} needs you: ${why}`),
    ],
    snapshot:
      still && executed.length === 0
        ? { ...before, at: agent.clock.now() }
        : await takeSnapshot(agent, before),
  };
}

async function takeSnapshot(agent: Agent, before: Snapshot | undefined): Promise<Snapshot> {
  const items = inbox(agent, { all: true });
  const asked = items.filter(({ state }) => state === 'pending_approval').map(({ taskId }) => taskId);
  const waiting = await previewTasks(agent, asked, before?.waiting ?? []);
  return {
    at: agent.clock.now(),
    agent: agent.config.agent,
    vault: agent.config.vault,
    head: agent.session.state.head.n,
    waiting,
    others: items.filter(({ state }) => state !== 'pending_approval').reverse(),
    incidents: incidentsOf(agent.session.state)
      .filter(({ acknowledged }) => !acknowledged)
      .map(({ n, writer, message }) => `entry ${n} by ${writer}: ${message}`),
  };
}
