import { verifyApproval } from './approval.ts';
import type { LedgerBody, NoteRef, TaskChange } from './ledger-body.ts';
import { entryHash } from './ledger-entry.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { applyFiles } from './replay-files.ts';
import { statesBefore, transition } from './task.ts';
import type { TaskEvent, Zone } from './task.ts';
import { foldName, zoneOf } from './vault-state.ts';
import type { Refusal, TaskView, VaultState } from './vault-state.ts';

type BodyOf<K extends LedgerBody['kind']> = Extract<LedgerBody, { kind: K }>;
type Verdict = Omit<Refusal, 'n' | 'writer' | 'taskId'> | undefined;

/** What the cloud may say of a task. Everything else from it is an incident. */
const CLOUD_EVENTS: ReadonlySet<string> = new Set<'created' | TaskEvent>([
  'created',
  'draft_started',
  'draft_abandoned',
  'drafted',
  'quarantined',
  'failed',
]);
const LOCAL_ONLY: ReadonlySet<string> = new Set([
  'approval',
  'intent',
  'result',
  'keys',
  'override',
  'checkpoint',
]);
/** Only their own entry kinds may cause these: a bare `task` entry may not. */
const PROVEN_EVENTS: ReadonlySet<string> = new Set<TaskEvent>([
  'approved',
  'execute_started',
  'succeeded',
  'unknown_outcome',
]);

/**
 * Applies one checked entry to the state. What the rules of the zones, the epochs or the approvals do
 * not allow is refused: recorded in `state.refusals` and without any effect. Every reader refuses the
 * same, so all replicas agree.
 *
 * @param body the opened body, or `undefined` for an entry of a ring this zone cannot read.
 */
export function applyEntry(state: VaultState, entry: LedgerEntry, body: LedgerBody | undefined): void {
  const zone = zoneOf(state, entry.writer) ?? (body?.kind === 'keys' ? 'local' : 'cloud');
  if (body) applyBody(state, entry, body, zone);
  state.head = { n: entry.n, hash: entryHash(entry) };
}

function applyBody(state: VaultState, entry: LedgerEntry, body: LedgerBody, zone: Zone): void {
  const refuse = (why: Verdict, taskId = entry.taskId): void => {
    if (why) state.refusals.push({ n: entry.n, writer: entry.writer, ...(taskId ? { taskId } : {}), ...why });
  };
  if (zone === 'cloud' && LOCAL_ONLY.has(body.kind)) {
    const forged = body.kind === 'approval';
    refuse({
      severity: 'incident',
      code: forged ? 'forged-approval' : 'zone',
      message: `the cloud zone wrote ${forged ? 'an approval' : `an entry of kind ${body.kind}`}, which only the local zone can`,
    });
    return;
  }
  switch (body.kind) {
    case 'keys':
      state.keys = body;
      return;
    case 'task':
      for (const change of body.changes) refuse(applyChange(state, entry, change, zone), change.taskId);
      return;
    case 'files':
      for (const why of applyFiles(state, entry, body.changes, zone)) refuse(why);
      return;
    case 'claim':
      refuse(withTask(state, entry, (task) => applyClaim(task, entry, body, zone)));
      return;
    case 'approval':
      refuse(withTask(state, entry, (task) => applyApproval(state, task, entry, body)));
      return;
    case 'intent':
      refuse(withTask(state, entry, (task) => applyIntent(state, task, entry, body)));
      return;
    case 'result':
      refuse(withTask(state, entry, (task) => applyResult(state, task, entry, body)));
      return;
    case 'delivery':
      refuse(
        withTask(state, entry, (task) => {
          task.deliveries.push({ n: entry.n, event: body.event, at: body.happenedAt });
          return undefined;
        }),
      );
      return;
    case 'conflict':
    case 'override':
    case 'checkpoint':
      return;
  }
}

function withTask(state: VaultState, entry: LedgerEntry, apply: (task: TaskView) => Verdict): Verdict {
  const task = entry.taskId === undefined ? undefined : state.tasks.get(entry.taskId);
  if (!task) return incident('unknown-task', `an entry of kind ${entry.kind} names no task of this ledger`);
  return apply(task);
}

function applyChange(state: VaultState, entry: LedgerEntry, change: TaskChange, zone: Zone): Verdict {
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
      set(known, 'reason', change.reason);
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

function applyClaim(task: TaskView, entry: LedgerEntry, body: BodyOf<'claim'>, zone: Zone): Verdict {
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

function applyApproval(
  state: VaultState,
  task: TaskView,
  entry: LedgerEntry,
  body: BodyOf<'approval'>,
): Verdict {
  const { statement } = body.approval;
  const approver = state.keys?.approvers.find((known) => known.approver === statement.approver);
  if (!approver || !verifyApproval(body.approval, approver.publicKey)) {
    return incident('forged-approval', `not signed by an approver of this vault (${statement.approver})`);
  }
  if (statement.taskId !== task.taskId || statement.vaultId !== state.vaultId) {
    return incident('approval-mismatch', `an approval of ${statement.taskId} was put on another task`);
  }
  if (statement.noteDigest !== body.note.content.sha256) {
    return incident(
      'approval-mismatch',
      'the note that came with the approval is not the one that was approved',
    );
  }
  if (state.nonces.has(statement.nonce)) return incident('nonce-used', 'this approval was given before');
  if (statement.epoch !== task.epoch) return late('stale-epoch', 'it approves an older draft');
  if (entry.at >= statement.expires) return late('approval-mismatch', 'the approval had expired');
  return moved(task, 'approved', () => {
    const named = takeName(state, task.taskId, task.note, body.note);
    if (named) return named;
    state.nonces.set(statement.nonce, 'open');
    task.approval = { n: entry.n, approval: body.approval, note: body.note };
    task.note = body.note;
    delete task.voided;
    delete task.reason;
    delete task.intent;
    delete task.result;
    return touch(task, entry);
  });
}

function applyIntent(state: VaultState, task: TaskView, entry: LedgerEntry, body: BodyOf<'intent'>): Verdict {
  const statement = task.approval?.approval.statement;
  if (!statement) return incident('approval-mismatch', 'an execution began without an approval');
  if (statement.nonce !== body.nonce || statement.actionsDigest !== body.actionsDigest) {
    return incident('approval-mismatch', 'an execution began of something else than was approved');
  }
  if (state.nonces.get(body.nonce) !== 'open') return incident('nonce-used', 'the approval was used before');
  if (entry.at >= statement.expires || entry.at < statement.notBefore) {
    return incident('approval-mismatch', 'an execution began outside the time of its approval');
  }
  const epoch = entry.epoch ?? 0;
  if (epoch <= task.epoch) return incident('stale-epoch', `an execution began with the old epoch ${epoch}`);
  return moved(task, 'execute_started', () => {
    state.nonces.set(body.nonce, 'consumed');
    task.epoch = epoch;
    task.owner = body.owner;
    task.intent = { n: entry.n, actionIndex: body.actionIndex, idempotencyKey: body.idempotencyKey };
    return touch(task, entry);
  });
}

function applyResult(state: VaultState, task: TaskView, entry: LedgerEntry, body: BodyOf<'result'>): Verdict {
  if (task.intent?.n !== body.intentN) return incident('approval-mismatch', 'a result without its intent');
  const stale = fenced(task, entry.epoch);
  if (stale) return stale;
  const event = ({ succeeded: 'succeeded', failed: 'failed', indeterminate: 'unknown_outcome' } as const)[
    body.outcome
  ];
  return moved(task, event, () => {
    const named = takeName(state, task.taskId, task.note, body.note);
    if (named) return named;
    delete task.owner;
    if (body.note) task.note = body.note;
    set(task, 'reason', body.detail);
    task.result = {
      n: entry.n,
      outcome: body.outcome,
      ...(body.providerId === undefined ? {} : { providerId: body.providerId }),
      ...(body.detail === undefined ? {} : { detail: body.detail }),
    };
    return touch(task, entry);
  });
}

/** Old epochs are refused: their writer lost the task and does not know it yet. */
function fenced(task: TaskView, epoch: number | undefined): Verdict {
  if (epoch !== undefined && epoch >= task.epoch) return undefined;
  return incident('stale-epoch', `written with epoch ${epoch ?? 'none'}, the task is at ${task.epoch}`);
}

/** A note keeps its name for life, and no two tasks share one: a second would hide the first. */
function takeName(
  state: VaultState,
  taskId: string,
  had: NoteRef | undefined,
  note: NoteRef | undefined,
): Verdict {
  if (!note) return undefined;
  if (had && had.name !== note.name) return incident('zone', `renamed its note to ${note.name}`);
  const name = foldName(note.name);
  const holder = state.noteNames.get(name);
  if (holder !== undefined && holder !== taskId) {
    return incident('zone', `put its note in the place of the note of ${holder}`);
  }
  state.noteNames.set(name, taskId);
  return undefined;
}

function moved(task: TaskView, event: TaskEvent, change: () => Verdict): Verdict {
  if (!statesBefore(event).includes(task.state)) {
    return late('illegal-transition', `${event}, but the task is ${task.state}`);
  }
  const next = transition(task, event);
  const refused = change();
  if (!refused) task.state = next;
  return refused;
}

function touch(task: TaskView, entry: LedgerEntry): undefined {
  task.updatedAt = entry.at;
  task.updatedN = entry.n;
  return undefined;
}

function set<K extends 'owner' | 'reason'>(task: TaskView, key: K, value: string | undefined): void {
  if (value === undefined) delete task[key];
  else task[key] = value;
}

function incident(code: Refusal['code'], message: string): Verdict {
  return { severity: 'incident', code, message };
}

function late(code: Refusal['code'], message: string): Verdict {
  return { severity: 'late', code, message };
}
