import { signApproval } from '#protocol/approval.ts';
import type { Approval } from '#protocol/approval.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { EPOCH_WINDOW } from '#protocol/claim.ts';
import { inlineContent } from '#protocol/content-store.ts';
import type { LedgerBody, NoteRef } from '#protocol/ledger-body.ts';
import type { EntryDraft } from '#protocol/ledger-entry.ts';
import { statesBefore } from '#protocol/task.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { Attack, AttackKind } from '../plan.ts';
import { signingKeyOf, VAULT_ID } from './keys.ts';

/** An approval as it stands in the ledger, with its note. */
export type GivenApproval = Extract<LedgerBody, { kind: 'approval' }>;

/** What an attack writes into the ledger, and whether `verify` has to name it as forged. */
export interface Forgery extends EntryDraft {
  readonly isNamed: boolean;
}

/** Chooses a task. */
export type OneOf = (wanted: (task: TaskView) => boolean) => TaskView | undefined;
type Forge = (
  one: OneOf,
  attempt: Attack,
  state: VaultState,
  approvals: readonly GivenApproval[],
) => Forgery | undefined;

/** What each of them writes, if there is what it needs. */
export const FORGERIES: Readonly<
  Record<Exclude<AttackKind, 'altered item' | 'foreign holder' | 'overwritten blob' | 'broken entry'>, Forge>
> = {
  'forged approval': (one, { id }) => {
    const task = one(({ state }) => state === 'pending_approval');
    return task && approvalEntry(task, forgedApproval(task, id), task.note);
  },
  'copied approval': (one, { n }, _state, approvals) => {
    const waiting = ({ state }: TaskView): boolean => statesBefore('approved').includes(state);
    // Best one that was voided, used or taken back, on its own task with its own note: only its nonce tells.
    const task = one((each) => waiting(each) && givenTo(each, approvals).length > 0) ?? one(waiting);
    if (!task) return undefined;
    const own = givenTo(task, approvals);
    const given = (own.length > 0 ? own : approvals)[n % Math.max(1, own.length || approvals.length)];
    return given && approvalEntry(task, given.approval, own.length > 0 ? given.note : task.note);
  },
  'forged intent': (one) => {
    const task = one(({ state }) => state === 'approved');
    const statement = task?.approval?.approval.statement;
    if (!task || !statement) return undefined;
    const { nonce, actionsDigest } = statement;
    const epoch = task.epoch + 1;
    const body = {
      kind: 'intent',
      owner: 'cloud',
      nonce,
      actionsDigest,
      actionIndex: 0,
      tool: 'email/send_email',
      idempotencyKey: `${task.taskId}-${epoch}`,
    } as const;
    return { taskId: task.taskId, epoch, body, isNamed: true };
  },
  'file into Approved': (_one, { id }) => filePut(`Approved/${id}.md`, '# send this'),
  'private file': (_one, { id }) => filePut(`Notes/by the cloud ${id}.md`, 'not yours'),
  'task into approved': (one) => {
    const task = one(({ state }) => state === 'pending_approval');
    return task && taskEntry(task, { event: 'approved', epoch: task.epoch }, true);
  },
  'stale epoch': (one) => {
    const task = one(({ epoch }) => epoch > 0);
    return task && taskEntry(task, { event: 'draft_started', epoch: task.epoch - 1, owner: 'cloud' }, true);
  },
  'far epoch': (one) => {
    const task = one(() => true);
    return (
      task &&
      taskEntry(task, { event: 'draft_started', epoch: task.epoch + EPOCH_WINDOW + 1, owner: 'cloud' }, true)
    );
  },
  // The cloud may draft: what it writes is shown to the person, who decides.
  'foreign draft': (one) => {
    const task = one(({ state, home }) => state === 'needs_action' && home === 'cloud');
    return task && taskEntry(task, { event: 'draft_started', epoch: task.epoch + 1, owner: 'cloud' }, false);
  },
  'wrong contents': (one) => {
    const task = one(
      ({ state, owner, note }) => state === 'drafting' && owner === 'cloud' && note !== undefined,
    );
    if (!task?.note) return undefined;
    const content = { ...inlineContent(Buffer.from('some words')), sha256: sha256Hex('other words') };
    const note = { name: task.note.name, content };
    return taskEntry(task, { event: 'drafted', epoch: task.epoch, owner: 'cloud', note }, false);
  },
};

function taskEntry(
  task: TaskView,
  change: Readonly<Record<string, unknown>> & { readonly epoch: number },
  isNamed: boolean,
): Forgery {
  const { taskId } = task;
  const changes = [{ taskId, ...change }];
  return { body: { kind: 'task', changes } as Forgery['body'], isNamed };
}

function filePut(path: string, text: string): Forgery {
  const changes = [{ op: 'put' as const, path, content: inlineContent(Buffer.from(text)) }];
  return { body: { kind: 'files', changes }, isNamed: true };
}

function givenTo({ taskId }: TaskView, approvals: readonly GivenApproval[]): readonly GivenApproval[] {
  return approvals.filter(({ approval }) => approval.statement.taskId === taskId);
}

function approvalEntry(
  { taskId, epoch }: TaskView,
  approval: Approval,
  note: NoteRef | undefined,
): Forgery | undefined {
  return note && { taskId, epoch, body: { kind: 'approval', approval, note }, isNamed: true };
}

/** As good as the cloud can make one: with its own key, since it has no other. */
function forgedApproval({ taskId, epoch, note }: TaskView, id: string): Approval {
  const statement = {
    purpose: 'ai-employee/approval/v1',
    vaultId: VAULT_ID,
    taskId,
    actionsDigest: sha256Hex(id),
    noteDigest: note?.content.sha256 ?? '',
    epoch,
    approver: 'owner',
    nonce: `the-nonce-of-${id}-forged`,
    notBefore: '2026-11-21T00:00:00.000Z',
    expires: '2027-11-21T00:00:00.000Z',
  } as const;
  return signApproval(statement, 'command', signingKeyOf('cloud'));
}
