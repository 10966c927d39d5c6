import { EmployeeError } from '#protocol/errors.ts';
import type { Refusal } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { approveTask } from '../approve.ts';
import { writeBriefings } from '../briefing.ts';
import { rejectTask } from '../reject.ts';
import { placeNote } from './place-note.ts';
import { scanVault } from './scan.ts';
import type { Withheld } from './scan.ts';
import { checkSentinel } from './sentinel.ts';
import { syncFiles } from './sync-files.ts';
import { syncNotes } from './sync-notes.ts';
import type { Wish } from './wishes.ts';

/** What one sync did. */
export interface SyncReport {
  /** The last entry of the ledger. */
  readonly head: number;
  /** Entries that were new here. */
  readonly pulled: number;
  /** Notes and files written, moved or removed in the vault. */
  readonly applied: number;
  /** Changes of the vault that went into the ledger. */
  readonly pushed: number;
  readonly wishes: readonly { readonly taskId: string; readonly wish: string; readonly outcome: string }[];
  /** What was put back and why, in words for the person. */
  readonly explained: readonly string[];
  readonly conflicts: readonly string[];
  readonly withheld: readonly Withheld[];
  /** New entries that were refused because nobody honest writes them; `verify` names all there ever were. */
  readonly incidents: readonly Refusal[];
}

/**
 * One sync: pull and check the ledger, take a person's edits and moves, put notes and files where the
 * ledger says. Safe to interrupt and to repeat; a second run right after writes nothing.
 */
export async function syncVault(agent: Agent): Promise<SyncReport> {
  await checkSentinel(agent);
  const known = Number(agent.copy.fact('syncedTo') ?? 0);
  const pulled = (await agent.session.pull()).length;
  const scan = await scanVault(agent);
  const notes = await syncNotes(agent, scan);
  const files = await syncFiles(agent, scan);
  const wishes = [];
  for (const wish of notes.wishes) wishes.push({ ...wish, outcome: await grant(agent, wish) });
  const pages = await writeBriefings(agent, daysSince(agent, known));
  agent.copy.setFact('syncedTo', String(agent.session.state.head.n));
  agent.copy.setFact('lastSync', agent.clock.now());
  agent.copy.setFact('withheld', JSON.stringify(scan.withheld));
  return {
    head: agent.session.state.head.n,
    pulled,
    applied: notes.applied + files.applied + pages,
    pushed: notes.pushed + files.pushed,
    wishes,
    explained: notes.explained,
    conflicts: files.conflicts,
    withheld: scan.withheld,
    incidents: agent.session.state.refusals.filter(({ n, severity }) => severity === 'incident' && n > known),
  };
}

/** The days whose page may have to say something else: those of the tasks that moved since entry `n`. */
function daysSince(agent: Agent, n: number): Set<string> {
  const days = new Set<string>();
  for (const task of agent.session.state.tasks.values()) {
    if (task.updatedN <= n) continue;
    days.add(task.createdAt.slice(0, 10));
    days.add(task.updatedAt.slice(0, 10));
  }
  return days;
}

/** Does what a move asked for, or puts the note back and says why not. */
async function grant(agent: Agent, wish: Wish): Promise<string> {
  try {
    if (wish.wish === 'reject') await rejectTask(agent, wish.taskId, 'moved to Rejected/ by hand');
    else await approveTask(agent, wish.taskId, { method: 'move', path: wish.path, digest: wish.hash });
    return wish.wish === 'reject' ? 'rejected' : 'approved';
  } catch (error) {
    if (!(error instanceof EmployeeError)) throw error;
    const task = agent.session.state.tasks.get(wish.taskId);
    if (task) await placeNote(agent, task, wish.path);
    return `not done: ${error.message}`;
  }
}
