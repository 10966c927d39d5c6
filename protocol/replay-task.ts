import type { LedgerBody, TaskChange } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { fenced, incident, moved, set, takeName, touch } from './replay-rules.ts';
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
      set(known, 'owner', change.event === 'draft_started' ? (change.owner ?? entry.writer) : undefined);
      if (change.note) known.note = change.note;
      if (change.mail) known.mail = change.mail;
      if (change.warnings) known.warnings = change.warnings;
      // An edit does not undo the reason for which a note stands where it stands.
      if (change.event !== 'edited' || change.reason !== undefined) set(known, 'reason', change.reason);
      known.home = change.home ?? (zone === 'cloud' && change.event === 'drafted' ? 'local' : known.home);
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
  const named = takeName(state, change.taskId, undefined, change.note);
  if (named) return named;
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
    ...(change.note ? { note: change.note } : {}),
    ...(change.mail ? { mail: change.mail } : {}),
    ...(change.reason === undefined ? {} : { reason: change.reason }),
  });
  return undefined;
}

/** Applies a change of ownership that was made outside of any other event. */
export function applyClaim(
  task: TaskView,
  entry: LedgerEntry,
  body: Extract<LedgerBody, { kind: 'claim' }>,
  zone: Zone,
): Verdict {
  // A higher epoch from the cloud would make the executor's own result too old to be believed.
  if (zone === 'cloud' && (task.state === 'approved' || task.state === 'executing')) {
    return incident('zone', `the cloud zone claimed a task that is ${task.state}`);
  }
  const stale = fenced(task, entry.epoch);
  if (stale) return stale;
  task.epoch = entry.epoch ?? task.epoch;
  set(task, 'owner', body.event === 'released' ? undefined : body.owner);
  return touch(task, entry);
}
