import { verifyApproval } from './approval.ts';
import type { LedgerBody } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { fenced, incident, late, moved, raised, set, takeName, touch } from './replay-rules.ts';
import type { Verdict } from './replay-rules.ts';
import type { TaskView, VaultState } from './vault-state.ts';

type BodyOf<K extends LedgerBody['kind']> = Extract<LedgerBody, { kind: K }>;

/**
 * Accepts an approval: signed by an approver of this vault, for this very task, draft and note, in time,
 * and never seen before.
 */
export function applyApproval(
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
    task.approval = { n: entry.n, writer: entry.writer, approval: body.approval, note: body.note };
    task.note = body.note;
    task.noteN = entry.n;
    delete task.voided;
    delete task.reason;
    delete task.explained;
    delete task.intent;
    delete task.result;
    return touch(task, entry);
  });
}

/** Accepts the start of an execution: of exactly what was approved, once, by the holder of a newer epoch. */
export function applyIntent(
  state: VaultState,
  task: TaskView,
  entry: LedgerEntry,
  body: BodyOf<'intent'>,
): Verdict {
  const statement = task.approval?.approval.statement;
  if (!statement) return incident('approval-mismatch', 'an execution began without an approval');
  if (statement.nonce !== body.nonce || statement.actionsDigest !== body.actionsDigest) {
    return incident('approval-mismatch', 'an execution began of something else than was approved');
  }
  if (state.nonces.get(body.nonce) !== 'open') return incident('nonce-used', 'the approval was used before');
  if (entry.at >= statement.expires || entry.at < statement.notBefore) {
    return incident('approval-mismatch', 'an execution began outside the time of its approval');
  }
  const stale = raised(task, entry.epoch);
  if (stale) return stale;
  if (body.owner !== entry.writer) return incident('zone', `began an execution in the name of ${body.owner}`);
  return moved(task, 'execute_started', () => {
    state.nonces.set(body.nonce, 'consumed');
    state.effects.set(body.idempotencyKey, entry.at);
    task.epoch = entry.epoch ?? task.epoch;
    task.owner = body.owner;
    task.intent = { n: entry.n, actionIndex: body.actionIndex, idempotencyKey: body.idempotencyKey };
    return touch(task, entry);
  });
}

/** Accepts the end of an execution: of the very intent that the task is at. */
export function applyResult(
  state: VaultState,
  task: TaskView,
  entry: LedgerEntry,
  body: BodyOf<'result'>,
): Verdict {
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
    if (body.outcome !== 'succeeded') task.tried = body.outcome;
    if (body.note) [task.note, task.noteN] = [body.note, entry.n];
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
