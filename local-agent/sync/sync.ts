import type { Refusal } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { completeHistory } from '../complete-history.ts';
import { writeBriefings } from '../briefing.ts';
import { settleClaims } from '../claims/settle-claims.ts';
import { noteWithheld } from '../withheld-list.ts';
import { grantWish } from './grant-wish.ts';
import { isOfOnePath } from './one-path.ts';
import { scanVault } from './scan.ts';
import type { Withheld } from './scan.ts';
import { checkSentinel } from './sentinel.ts';
import { syncFiles } from './sync-files.ts';
import { syncNotes } from './sync-notes.ts';
import type { VaultChange } from './vault-change.ts';

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
  /** Everything that was carried between vault and ledger, in order. */
  readonly changes: readonly VaultChange[];
  readonly withheld: readonly Withheld[];
  /** Of these, what the sync before did not leave out, or for another reason. */
  readonly newlyWithheld: readonly Withheld[];
  /** New entries that were refused because nobody honest writes them; `verify` names all there ever were. */
  readonly incidents: readonly Refusal[];
}

/** What a person says about one sync. */
export interface SyncOptions {
  /** That more than half of the files are gone is meant. @default false */
  readonly allowDeletes?: boolean;
}

/**
 * One sync: pull and check the ledger, take a person's edits and moves, put notes and files where the
 * ledger says. Safe to interrupt and to repeat; a second run right after writes nothing.
 */
export async function syncVault(agent: Agent, options: SyncOptions = {}): Promise<SyncReport> {
  await checkSentinel(agent);
  await completeHistory(agent);
  const known = Number(agent.copy.fact('syncedTo') ?? 0);
  const pulled = await agent.session.pull();
  const claims = await settleClaims(agent);
  const scan = await scanVault(agent);
  const notes = await syncNotes(agent, scan);
  for (const { path, why } of notes.strays) scan.withhold(path, why);
  const files = await syncFiles(agent, scan, options.allowDeletes);
  const wishes = [];
  for (const wish of notes.wishes) wishes.push({ ...wish, outcome: await grantWish(agent, wish) });
  const pages = await briefings(agent, known, files.explained);
  agent.copy.setFact('syncedTo', String(agent.session.state.head.n));
  agent.copy.setFact('lastSync', agent.clock.now());
  const { withheld } = scan;
  const newlyWithheld = noteWithheld(agent.copy, withheld);
  const changes = [...notes.changes, ...files.changes];
  await agent.history?.commit(changes);
  return {
    head: agent.session.state.head.n,
    pulled,
    applied: notes.applied + files.applied + pages,
    pushed: notes.pushed + files.pushed,
    wishes,
    explained: [...claims, ...notes.explained, ...files.explained],
    conflicts: [...notes.conflicts, ...files.conflicts],
    changes,
    withheld,
    newlyWithheld,
    incidents: agent.session.state.refusals.filter(({ n, severity }) => severity === 'incident' && n > known),
  };
}

/** A page that cannot be written, such as one behind a link, ends no sync. */
async function briefings(agent: Agent, known: number, explained: Set<string>): Promise<number> {
  try {
    return await writeBriefings(agent, daysSince(agent, known));
  } catch (error) {
    if (!isOfOnePath(error)) throw error;
    explained.add(`the page of the day was not written: ${error.message}`);
    return 0;
  }
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
