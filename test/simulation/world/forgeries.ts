import type { LedgerBody } from '#protocol/ledger-body.ts';
import { EPOCH_WINDOW } from '#protocol/claim.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { inlineContent } from '#protocol/content-store.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import { statesBefore } from '#protocol/task.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Attack, ATTACKS } from '../plan.ts';
import { approvalEntry, forgedApproval } from './forgery.ts';
import type { Forgery } from './forgery.ts';

/** An approval as it stands in the ledger, with its note. */
export type GivenApproval = Extract<LedgerBody, { kind: 'approval' }>;

/** Chooses a task. */
export type OneOf = (wanted: (task: TaskView) => boolean) => TaskView | undefined;
type Forge = (
  one: OneOf,
  attempt: Attack,
  writer: Writer,
  approvals: readonly GivenApproval[],
) => Forgery | undefined;

/** What each of them writes, if there is what it needs. */
export const FORGERIES: Readonly<
  Record<
    Exclude<
      (typeof ATTACKS)[number],
      'altered item' | 'foreign holder' | 'overwritten blob' | 'broken entry'
    >,
    Forge
  >
> = {
  'forged approval': (one, { id }, { signingKey }) => {
    const task = one(({ state }) => state === 'pending_approval');
    return task && approvalEntry(task, forgedApproval(task, id, signingKey));
  },
  'copied approval': (one, { n }, _writer, approvals) => {
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
