import type { LedgerBody, TaskChange } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { fenced, incident, late, moved, raised, set, takeName, touch } from './replay-rules.ts';
import type { Verdict } from './replay-rules.ts';
import type { TaskEvent, Zone } from './task.ts';
import type { TaskView, VaultState } from './vault-state.ts';

/** What the cloud may say of a task. Everything else from it is an incident. */
const CLOUD_EVENTS: ReadonlySet<string> = new Set<'created' | TaskEvent>([
  'created',
  'draft_started',
  'draft_abandoned',
  'drafted',
  'quarantined',
  'failed',
]);
/** Where a task is at home after an event that does not say it. */
const HOME_AFTER: Partial<Record<TaskChange['event'], Zone>> = { drafted: 'local', redraft: 'cloud' };
/** Only their own entry kinds may cause these: a bare `task` entry may not. */
const PROVEN_EVENTS: ReadonlySet<string> = new Set<TaskEvent>([
  'approved',
  'execute_started',
  'succeeded',
  'unknown_outcome',
]);

/** Applies one event of one task, as far as the zone, the epoch and the task's state allow it. */
export function applyChange(state: VaultState, entry: LedgerEntry, change: TaskChange, zone: Zone): Verdict {
  if (zone === 'cloud' && !CLOUD_EVENTS.has(change.event)) {
    const what =
      change.event === 'approved' ? 'moved a task to Approved/' : `wrote the event ${change.event}`;
    return incident(change.event === 'approved' ? 'forged-approval' : 'zone', `the cloud zone ${what}`);
  }
  const known = state.tasks.get(change.taskId);
  if (change.event === 'created') return createTask(state, entry, change, known);
  if (!known) return incident('unknown-task', `${change.event} of a task that was never created`);
  if (PROVEN_EVENTS.has(change.event)) {
    return incident('zone', `${change.event} without the approval, intent or result that proves it`);
  }
  if (change.event === 'failed' && known.state === 'executing') {
    return incident('zone', 'an execution failed without the result that proves it');
  }
  return (
    fenced(known, change.epoch) ??
    ofHolder(known, entry, change, zone) ??
    moved(known, change.event, () => {
      if (change.event === 'drafted' && change.owner !== known.owner) {
        return incident(
          'zone',
          `${change.owner ?? 'nobody'} finished a draft that ${known.owner ?? 'nobody'} holds`,
        );
      }
      const named = takeName(state, known.taskId, known.note, change.note);
      if (named) return named;
      known.epoch = change.epoch;
      if (change.note) [known.note, known.noteN] = [change.note, entry.n];
      if (change.mail) known.mail = change.mail;
      if (change.warnings) known.warnings = change.warnings;
      // An edit does not undo the reason for which a note stands where it stands.
      const isEdit = change.event === 'edited';
      const owner = change.event === 'draft_started' ? (change.owner ?? entry.writer) : undefined;
      // Whoever edits what it holds goes on holding it.
      if (!isEdit) set(known, 'owner', owner);
      if (!isEdit) set(known, 'reason', change.reason);
      set(known, 'explained', isEdit ? change.reason : undefined);
      known.home = change.home ?? HOME_AFTER[change.event] ?? known.home;
      if (change.event === 'voided') {
        delete known.approval;
        known.voided = change.reason ?? 'the note changed after it was approved';
      }
      if (change.event === 'rejected' || change.event === 'redraft') {
        delete known.approval;
        delete known.voided;
      }
      return touch(known, entry);
    })
  );
}

function createTask(state: VaultState, entry: LedgerEntry, change: TaskChange, known?: TaskView): Verdict {
  // Two deliveries of one notification may both append: the second says nothing new.
  if (known) return { severity: 'late', code: 'duplicate', message: 'the task exists already' };
  const refused =
    fenced({ epoch: 0 }, change.epoch) ?? takeName(state, change.taskId, undefined, change.note);
  if (refused) return refused;
  state.tasks.set(change.taskId, {
    taskId: change.taskId,
    state: change.state ?? 'needs_action',
    epoch: change.epoch,
    home: change.home ?? 'cloud',
    warnings: change.warnings ?? [],
    deliveries: [],
    createdAt: entry.at,
    createdN: entry.n,
    updatedAt: entry.at,
    updatedN: entry.n,
    ...(change.note ? { note: change.note, noteN: entry.n } : {}),
    ...(change.mail ? { mail: change.mail } : {}),
    ...(change.reason === undefined ? {} : { reason: change.reason }),
  });
  return undefined;
}

/** While a task is drafted, its holder alone speaks of it; and nobody begins in the name of another. */
function ofHolder(task: TaskView, { writer }: LedgerEntry, change: TaskChange, zone: Zone): Verdict {
  if (change.event === 'draft_started') {
    return raised(task, change.epoch) ?? ownTaking(task, writer, change.owner ?? writer, zone);
  }
  if (zone === 'cloud' && task.state === 'needs_action' && task.home !== 'cloud') {
    return incident('zone', `the cloud zone wrote ${change.event} of a task that is at home with its owner`);
  }
  if (task.state !== 'drafting' || task.owner === writer) return undefined;
  return incident('zone', `wrote ${change.event} of a draft that ${task.owner ?? 'nobody'} holds`);
}

function ownTaking(task: TaskView, writer: string, owner: string | undefined, zone: Zone): Verdict {
  if (owner !== writer) return incident('zone', `took the task in the name of ${owner ?? 'nobody'}`);
  if (zone === 'local' || task.home === 'cloud') return undefined;
  return incident('zone', 'the cloud zone took a task that is at home with its owner');
}

/**
 * Applies a change of the holder. A task is claimed to be drafted and released to be drafted by others; it
 * is handed over by its holder, or accepted by the new one; and it is taken over from whoever is silent, of
 * which the ledger may know nothing: then the raised epoch is all that changes, and fences the silent one.
 */
export function applyClaim(
  task: TaskView,
  entry: LedgerEntry,
  body: Extract<LedgerBody, { kind: 'claim' }>,
  zone: Zone,
): Verdict {
  const { event, owner } = body;
  if (zone === 'cloud' && (event === 'transferred' || event === 'taken_over')) {
    return incident('zone', `the cloud zone wrote the claim event ${event}`);
  }
  const stale = event === 'released' ? fenced(task, entry.epoch) : raised(task, entry.epoch);
  if (stale) return stale;
  const hold = (holder: string | undefined, home: Zone): undefined => {
    task.epoch = entry.epoch ?? task.epoch;
    task.home = home;
    set(task, 'owner', holder);
    if (body.reason !== undefined) task.reason = body.reason;
    return touch(task, entry);
  };
  const isWork = task.state === 'drafting' || task.state === 'executing';
  switch (event) {
    case 'claimed':
      return (
        ownTaking(task, entry.writer, owner, zone) ?? moved(task, 'draft_started', () => hold(owner, zone))
      );
    case 'released':
      if (task.owner !== entry.writer) {
        return incident('zone', `released a task that ${task.owner ?? 'nobody'} holds`);
      }
      return moved(task, 'draft_abandoned', () => hold(undefined, task.home));
    case 'transferred':
      if (task.state !== 'drafting')
        return late('illegal-transition', `transferred, but it is ${task.state}`);
      if (task.owner !== entry.writer && owner !== entry.writer) {
        return incident('zone', `handed over a task that ${task.owner ?? 'nobody'} holds`);
      }
      return hold(owner, zone);
    case 'taken_over':
      return (
        ownTaking(task, entry.writer, owner, zone) ??
        (isWork ? hold(owner, zone) : hold(undefined, task.home))
      );
  }
}
