import { actionsDigest } from '#protocol/action.ts';
import { signApproval } from '#protocol/approval.ts';
import type { Approval, ApprovalStatement } from '#protocol/approval.ts';
import type { NoteRef, TaskChange } from '#protocol/ledger-body.ts';
import type { EntryDraft } from '#protocol/ledger-entry.ts';
import type { SigningKey } from '#protocol/signing.ts';
import type { Refusal, VaultState } from '#protocol/vault-state.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { draftedNote, sampleAction, sampleMail, TASK } from './samples.ts';

export const NOTE = draftedNote('Dear Alice,\n\nyes.');
/** The same note after somebody changed it. */
export const CHANGED = { ...NOTE, content: draftedNote('Something else.').content };
export const DIGEST = actionsDigest([sampleAction()]);

/** An entry with one change of one task. */
export function change(event: TaskChange['event'], changes: Partial<TaskChange> = {}): EntryDraft {
  return { body: { kind: 'task', changes: [{ taskId: TASK, epoch: 0, event, ...changes }] } };
}

export function statementOf(
  factory: Pick<LedgerFactory, 'vaultId'>,
  changes: Partial<ApprovalStatement> = {},
): ApprovalStatement {
  return {
    purpose: 'ai-employee/approval/v1',
    vaultId: factory.vaultId,
    taskId: TASK,
    actionsDigest: DIGEST,
    noteDigest: NOTE.content.sha256,
    epoch: 1,
    approver: 'owner',
    nonce: 'nonce-0123456789abcdef',
    notBefore: '2026-11-21T08:00:00.000Z',
    expires: '2026-11-24T08:00:00.000Z',
    ...changes,
  };
}

export interface ApprovalParts {
  readonly statement?: Partial<ApprovalStatement>;
  readonly note?: NoteRef;
  readonly key?: SigningKey;
  readonly taskId?: string;
  readonly method?: Approval['method'];
}

/** An approval, by default a valid one of the drafted note. */
export function approvalEntry(factory: LedgerFactory, parts: ApprovalParts = {}): EntryDraft {
  const statement = statementOf(factory, parts.statement);
  const approval = signApproval(statement, parts.method ?? 'command', parts.key ?? factory.approver.key);
  return { taskId: parts.taskId ?? TASK, body: { kind: 'approval', approval, note: parts.note ?? NOTE } };
}

type Intent = Extract<EntryDraft['body'], { kind: 'intent' }>;

export function intentEntry(epoch = 2, changes: Partial<Intent> = {}, taskId = TASK): EntryDraft {
  return {
    taskId,
    epoch,
    body: {
      kind: 'intent',
      owner: 'laptop',
      nonce: 'nonce-0123456789abcdef',
      actionsDigest: DIGEST,
      actionIndex: 0,
      tool: 'email/send_email',
      idempotencyKey: `${taskId}-${epoch}`,
      ...changes,
    },
  };
}

type Result = Extract<EntryDraft['body'], { kind: 'result' }>;

export function resultEntry(
  intentN: number,
  changes: Partial<Result> = {},
  epoch = 2,
  taskId = TASK,
): EntryDraft {
  return {
    taskId,
    epoch,
    body: { kind: 'result', intentN, outcome: 'succeeded', providerId: 'ses-1', ...changes },
  };
}

/** Triage and draft, as the cloud does them: the task waits for a person, at epoch 1. */
export function drafted(factory: LedgerFactory, taskId = TASK, note = NOTE): void {
  factory.append(change('created', { taskId, note, mail: sampleMail() }), factory.cloud);
  factory.append(change('draft_started', { taskId, epoch: 1, owner: 'cloud' }), factory.cloud);
  factory.append(change('drafted', { taskId, epoch: 1, owner: 'cloud', note }), factory.cloud);
}

/** The whole way of a task that was approved and done; each step leaves the task in the state of its name. */
export function advance(
  factory: LedgerFactory,
  to: 'pending_approval' | 'approved' | 'executing' | 'done',
): void {
  drafted(factory);
  if (to === 'pending_approval') return;
  factory.append(approvalEntry(factory));
  if (to === 'approved') return;
  const { n } = factory.append(intentEntry());
  if (to === 'executing') return;
  factory.append(resultEntry(n));
}

/** A ledger in which the task stands in this state. */
export function vaultAt(
  state: Parameters<typeof advance>[1] | 'created' | 'drafting' | 'empty',
): LedgerFactory {
  const factory = createLedgerFactory();
  if (state === 'created' || state === 'drafting') {
    factory.append(change('created', { note: NOTE, mail: sampleMail() }), factory.cloud);
    if (state === 'drafting')
      factory.append(change('draft_started', { epoch: 1, owner: 'cloud' }), factory.cloud);
  } else if (state !== 'empty') {
    advance(factory, state);
  }
  return factory;
}

/** All of a state that an entry may have an effect on. */
export function effects({ keys, tasks, files, noteNames, nonces }: VaultState): unknown {
  return structuredClone({ keys, tasks, files, noteNames, nonces });
}

/** Appends an entry and says what readers refused of it; a refused entry must have had no effect at all. */
export function refusalOf(
  factory: LedgerFactory,
  draft: EntryDraft,
  writer = factory.local,
): Refusal | undefined {
  const before = factory.replay();
  const { n } = factory.append(draft, writer);
  const after = factory.replay();
  const fresh = after.refusals.slice(before.refusals.length);
  if (fresh.length > 1) throw new Error('more than one refusal of one change');
  const [refusal] = fresh;
  const unchanged = JSON.stringify(effects(before), maps) === JSON.stringify(effects(after), maps);
  if (refusal && !unchanged) throw new Error(`refused (${refusal.message}), but it had an effect`);
  if (refusal && refusal.n !== n) throw new Error(`the refusal names entry ${refusal.n}, not ${n}`);
  return refusal;
}

function maps(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...(value as Map<unknown, unknown>)] : value;
}
