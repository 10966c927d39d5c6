import { alone, open, together } from '#protocol/batch-work.ts';
import { EPOCH_WINDOW } from '#protocol/claim.ts';
import { changeBatches } from '#protocol/change-batches.ts';
import { loadContent, storeContent } from '#protocol/content-store.ts';
import type { DraftRequest } from '#protocol/draft-request.ts';
import { TaskChange } from '#protocol/ledger-body.ts';
import type { LedgerSession } from '#protocol/ledger-session.ts';
import type { BlobStore, Clock, Model, TaskStore } from '#protocol/ports.ts';
import type { Keyring } from '#protocol/seal.ts';
import { statesBefore } from '#protocol/task.ts';
import type { Task } from '#protocol/task.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { composeReply } from './compose-reply.ts';
import { replyNote } from './reply-note.ts';
import { readStandingOrders } from './standing-orders.ts';
import type { StandingOrders } from './standing-orders.ts';

/** One message of the drafting queue. `recordId` names the try: a redelivery has the same. */
export interface DraftRecord {
  readonly recordId: string;
  readonly request: DraftRequest;
  /** How often the queue has handed this message out, this time included. @default 1 */
  readonly receives?: number;
}

/**
 * How a record ended. `held` is somebody else's work now. `failed` and `suspected` come back: another try
 * holds the task, and if it gives no sign of life until then, it is dead.
 */
export interface DraftOutcome {
  readonly recordId: string;
  readonly taskId: string;
  readonly status: 'drafted' | 'already-done' | 'held' | 'suspected' | 'failed';
  /** Who wrote the words. */
  readonly writtenBy?: string;
  readonly error?: unknown;
}

export interface DraftPorts {
  readonly tasks: TaskStore;
  readonly session: Pick<LedgerSession, 'state' | 'pull' | 'append'>;
  readonly blobs: BlobStore;
  readonly model: Model;
  readonly keyring: Keyring;
  /** Texts of the standing orders by hash, kept between batches. */
  readonly texts: Map<string, string>;
  readonly clock: Pick<Clock, 'now'>;
  /** The address that answers are written from. */
  readonly fromAddress: string;
  /** Longer than this function may run. */
  readonly leaseMs: number;
}

interface Work {
  readonly recordId: string;
  readonly taskId: string;
  readonly receives: number;
  claim?: Task;
  changes?: readonly TaskChange[];
  writtenBy?: string;
  outcome?: Omit<DraftOutcome, 'recordId' | 'taskId'>;
}

const OWNER = 'cloud';

/**
 * Drafts a batch of answers: claims each task for the cloud, composes, and writes all drafts into one ledger
 * entry; then puts the claims down. Safe to run again after a crash at any point: a draft that the ledger
 * holds is only put down, and the same message claims its own task again. One task's failure is its own.
 *
 * @throws what concerns the whole batch: the ledger cannot be read, or is not what it should be.
 */
export async function draftBatch(
  records: readonly DraftRecord[],
  ports: DraftPorts,
): Promise<readonly DraftOutcome[]> {
  const works: Work[] = records.map(({ recordId, request, receives = 1 }) => ({
    recordId,
    taskId: request.taskId,
    receives,
  }));
  const batch = new Set(works.map(({ recordId }) => recordId));
  await ports.session.pull();
  await alone(works, (work) => take(work, batch, ports));
  const held = works.filter(({ claim }) => claim !== undefined);
  if (held.length > 0) {
    const orders = await readStandingOrders(ports.session.state, ports);
    await alone(open(held), (work) => compose(work, orders, ports));
    await record(open(held), ports);
    await alone(open(held), (work) => putDown(work, ports));
  }
  return works.map(({ recordId, taskId, outcome }) => ({
    recordId,
    taskId,
    ...(outcome ?? { status: 'failed' }),
  }));
}

/** Claims the task, if a draft is still wanted. */
async function take(work: Work, batch: ReadonlySet<string>, ports: DraftPorts): Promise<void> {
  const view = ports.session.state.tasks.get(work.taskId);
  if (!view) throw new Error('the ledger knows no such task yet');
  if (!wantsDraft(view)) {
    await finishEarlierTry(work, view, ports);
    return;
  }
  const answer = await ports.tasks.claim({
    taskId: work.taskId,
    owner: OWNER,
    attemptId: work.recordId,
    zone: 'cloud',
    from: statesBefore('draft_started'),
    to: 'drafting',
    leaseMs: ports.leaseMs,
  });
  if (answer.won) work.claim = answer.task;
  else await meetHolder(work, batch, ports);
}

/**
 * Another message's try holds the task. If that one died and its message is gone, nobody else would ever go
 * on. No clock is asked how long it has been silent: the queue is. A message that comes again was hidden
 * meanwhile for the queue's visibility timeout, which is longer than any lease; if the mark of the first
 * meeting still stands at the heartbeat that it saw, the holder gave no sign of life in all that time.
 */
async function meetHolder(work: Work, batch: ReadonlySet<string>, ports: DraftPorts): Promise<void> {
  const { tasks, clock } = ports;
  const { taskId, recordId } = work;
  const item = await tasks.get(taskId);
  const isTry = item?.owner === OWNER && item.state === 'drafting' && item.home === 'cloud';
  if (!isTry || batch.has(item.attemptId ?? '')) {
    work.outcome = { status: 'held' };
    return;
  }
  const seen = { owner: OWNER, epoch: item.epoch, heartbeat: item.heartbeat };
  if (work.receives > 1 && item.suspectHeartbeat === item.heartbeat) {
    const taken = await tasks.takeover({ taskId, owner: OWNER, attemptId: recordId, zone: 'cloud', seen });
    if (taken.won) work.claim = taken.task;
  } else if (item.suspectHeartbeat !== item.heartbeat) {
    await tasks.suspect({ taskId, seen, at: clock.now() });
  }
  if (!work.claim) work.outcome = { status: 'suspected' };
}

/** The draft stands and the try that wrote it may have died before it let go of the task. */
async function finishEarlierTry(work: Work, view: TaskView, ports: DraftPorts): Promise<void> {
  const item = await ports.tasks.get(work.taskId);
  if (item?.owner === OWNER && item.attemptId === work.recordId && item.state === 'drafting') {
    const { taskId, epoch } = item;
    await ports.tasks.release({ taskId, owner: OWNER, epoch, to: view.state, home: view.home });
  }
  work.outcome = { status: 'already-done' };
}

async function compose(work: Work, orders: StandingOrders, ports: DraftPorts): Promise<void> {
  const { session, blobs, keyring } = ports;
  const view = session.state.tasks.get(work.taskId);
  const { claim } = work;
  if (!claim || !view?.mail || !view.note) throw new Error('the task has no mail that could be answered');
  const { vaultId } = session.state;
  const noteBytes = await loadContent(view.note.content, 'shared', keyring, vaultId, blobs);
  const reply = await composeReply(
    { view, mail: view.mail, noteText: noteBytes.toString(), orders },
    ports.model,
  );
  const made = replyNote({ view, mail: view.mail, reply, fromAddress: ports.fromAddress });
  const content = await storeContent(Buffer.from(made.text), 'shared', keyring, vaultId, blobs);
  const facts = { taskId: work.taskId, epoch: claim.epoch, owner: OWNER } as const;
  work.writtenBy = reply.writtenBy;
  work.changes = [
    { ...facts, event: 'draft_started' as const },
    {
      ...facts,
      event: 'drafted' as const,
      note: { name: view.note.name, content },
      warnings: [...made.warnings],
      home: 'local' as const,
      ...(reply.reason === undefined ? {} : { reason: reply.reason }),
    },
  ].map((change) => TaskChange.parse(change));
}

/** Appends all drafts, in one entry unless it grows too large. */
async function record(works: readonly Work[], { session }: DraftPorts): Promise<void> {
  const batches = changeBatches(works.flatMap(({ changes }) => (changes ? [changes] : [])));
  for (const batch of batches) {
    const ids = new Set(batch.map(({ taskId }) => taskId));
    await together(
      works.filter(({ taskId }) => ids.has(taskId)),
      async () => {
        await session.append((state) => {
          const changes = batch.filter((change) => isWanted(change, state));
          return changes.length === 0 ? undefined : { body: { kind: 'task', changes } };
        });
      },
    );
  }
}

/** Puts the claim down where the ledger says that the task stands. */
async function putDown(work: Work, { tasks, session }: DraftPorts): Promise<void> {
  const view = session.state.tasks.get(work.taskId);
  if (!work.claim || !view || wantsDraft(view)) throw new Error('the ledger refused the draft');
  const { taskId, epoch } = work.claim;
  await tasks.release({ taskId, owner: OWNER, epoch, to: view.state, home: view.home });
  const isOurs = view.epoch === epoch && view.state === 'pending_approval';
  const writtenBy = work.writtenBy === undefined ? {} : { writtenBy: work.writtenBy };
  work.outcome = isOurs ? { status: 'drafted', ...writtenBy } : { status: 'already-done' };
}

/** Nobody else finished, rejected, took or withdrew the task, as far as the ledger has come. */
function wantsDraft(view: TaskView): boolean {
  if (view.home !== 'cloud') return false;
  return view.state === 'needs_action' || (view.state === 'drafting' && view.owner === OWNER);
}

/** What readers would refuse is not written: a try that was taken over meanwhile has nothing left to say. */
function isWanted(change: TaskChange, state: VaultState): boolean {
  const view = state.tasks.get(change.taskId);
  if (!view || !wantsDraft(view)) return false;
  const isNew = change.epoch > view.epoch && change.epoch <= view.epoch + EPOCH_WINDOW;
  if (view.state === 'needs_action') return isNew;
  return change.event === 'drafted' && (isNew || change.epoch === view.epoch);
}
