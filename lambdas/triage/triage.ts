import { alone, open, together } from '#protocol/batch-work.ts';
import { changeBatches } from '#protocol/change-batches.ts';
import { storeContent } from '#protocol/content-store.ts';
import type { DraftRequest } from '#protocol/draft-request.ts';
import { shortId, taskIdOfMail } from '#protocol/ids.ts';
import { TaskChange } from '#protocol/ledger-body.ts';
import type { LedgerSession } from '#protocol/ledger-session.ts';
import { UnreadableMailError } from '#protocol/mail-errors.ts';
import type { Delivery, ParsedMail } from '#protocol/mail.ts';
import type { BlobStore, MailParser, MailSource, Queue, TaskStore } from '#protocol/ports.ts';
import type { Keyring } from '#protocol/seal.ts';
import type { TaskEvent } from '#protocol/task.ts';
import { noteName } from '#protocol/vault-path.ts';
import { foldName } from '#protocol/vault-state.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { classify, withheldUnread } from './classify.ts';
import type { Classification } from './classify.ts';
import { readHistory } from './history.ts';
import type { History } from './history.ts';
import { mailNote } from './mail-note.ts';
import { mailRecord } from './mail-record.ts';

/** One message of the inbound queue: the notification of one mail. */
export interface TriageRecord {
  readonly recordId: string;
  readonly delivery: Delivery;
}

/** How a record ended. `failed` alone comes back; `verdict` and `reason` are known once the mail was read. */
export interface TriageOutcome {
  readonly recordId: string;
  readonly taskId: string;
  readonly status: 'respond' | 'notify' | 'ignore' | 'quarantine' | 'duplicate' | 'failed';
  readonly reason?: string;
  readonly error?: unknown;
}

export interface TriagePorts {
  readonly tasks: TaskStore;
  readonly session: Pick<LedgerSession, 'state' | 'pull' | 'append'>;
  readonly blobs: BlobStore;
  readonly mails: MailSource;
  readonly parser: MailParser;
  readonly drafting: Queue<DraftRequest>;
  readonly keyring: Keyring;
  /** The owner's and the assistant's own addresses, lower case. */
  readonly ownAddresses: readonly string[];
}

/** A mail that this batch deals with; `outcome` is set once nothing is left to do for it. */
interface Work {
  readonly taskId: string;
  readonly delivery: Delivery;
  change?: TaskChange;
  /** Reason code, for the log. */
  reason?: string;
  outcome?: Omit<TriageOutcome, 'recordId' | 'taskId'>;
}

/** Raw mails in memory at once: each may have 40 MB. */
const MAX_AT_ONCE = 5;

/**
 * Triages a batch of mails: begins each task by one conditional write, reads and classifies the mails,
 * writes all tasks into one ledger entry, then asks for drafts or settles the items. Safe to run again
 * after a crash at any point: what the ledger holds already is not written twice, and what follows is
 * repeated. One mail's failure is its own.
 *
 * @throws what concerns the whole batch: the ledger cannot be read, or is not what it should be.
 */
export async function triageBatch(
  records: readonly TriageRecord[],
  ports: TriagePorts,
): Promise<readonly TriageOutcome[]> {
  const works = new Map<string, Work>();
  for (const { delivery } of records) {
    const taskId = taskIdOfMail(delivery.sesMessageId);
    if (!works.has(taskId)) works.set(taskId, { taskId, delivery });
  }
  const all = [...works.values()];
  await alone(all, async (work) => {
    if (!(await ports.tasks.begin(work.taskId))) work.outcome = { status: 'duplicate' };
  });
  const begun = open(all);
  if (begun.length > 0) {
    await ports.session.pull();
    await alone(
      begun.filter(({ taskId }) => !ports.session.state.tasks.has(taskId)),
      reader(ports),
      MAX_AT_ONCE,
    );
    await record(open(begun), ports);
    await conclude(open(begun), ports);
  }
  const seen = new Set<string>();
  return records.map(({ recordId, delivery }) => {
    const taskId = taskIdOfMail(delivery.sesMessageId);
    const outcome = works.get(taskId)?.outcome ?? { status: 'failed' };
    // A second delivery in the same batch shares the fate of the first, and is counted as what it is.
    const isRepeated = seen.has(taskId) && outcome.status !== 'failed';
    seen.add(taskId);
    return { recordId, taskId, ...(isRepeated ? { status: 'duplicate' } : outcome) };
  });
}

/** Reads one mail, decides, and makes the change that creates its task. */
function reader(ports: TriagePorts): (work: Work) => Promise<void> {
  const { state } = ports.session;
  const history = readHistory(state, ports.ownAddresses);
  return async (work) => {
    const { mail, classification } = await readMail(work.delivery, history, ports);
    const parsed = TaskChange.safeParse(await created(work, mail, classification, history, ports));
    if (!parsed.success) throw parsed.error;
    work.change = parsed.data;
  };
}

async function readMail(
  delivery: Delivery,
  history: History,
  ports: TriagePorts,
): Promise<{ readonly mail?: ParsedMail; readonly classification: Classification }> {
  if (delivery.authentication.virus === 'FAIL') return { classification: withheldUnread('virus') };
  try {
    const mail = await ports.parser.parse(await ports.mails.read(delivery.raw));
    return { mail, classification: classify(mail, delivery, history.contextOf(mail, delivery)) };
  } catch (error) {
    if (!(error instanceof UnreadableMailError)) throw error;
    return { classification: withheldUnread('unparseable', error.reason) };
  }
}

async function created(
  work: Work,
  mail: ParsedMail | undefined,
  classification: Classification,
  history: History,
  ports: TriagePorts,
): Promise<TaskChange> {
  const { taskId, delivery } = work;
  const { verdict, reason, words, warnings } = classification;
  const record = mailRecord(delivery, mail, ports.ownAddresses);
  const { state } = ports.session;
  const change: TaskChange = {
    taskId,
    epoch: 0,
    event: 'created',
    state: verdict === 'ignore' ? 'ignored' : verdict === 'quarantine' ? 'quarantined' : 'needs_action',
    home: verdict === 'respond' ? 'cloud' : 'local',
    reason: `${reason}: ${words}`.slice(0, 2000),
    mail: record,
    warnings: [...warnings],
  };
  if (verdict === 'ignore') return change;
  const reportedNote = mail && history.reported(mail)?.note?.name;
  const text = mailNote({ taskId, delivery, record, mail, classification, reportedNote });
  const content = await storeContent(Buffer.from(text), 'shared', ports.keyring, state.vaultId, ports.blobs);
  return { ...change, note: { name: freeName(work, record.subject, state), content } };
}

/** Two tasks of one day with the same short id and subject need the whole id to be told apart. */
function freeName({ taskId, delivery }: Work, subject: string, state: VaultState): string {
  const name = noteName({ taskId, subject, at: delivery.receivedAt });
  if (!state.noteNames.has(foldName(name))) return name;
  return name.replace(`(${shortId(taskId)})`, `(${taskId})`);
}

/** Appends the created tasks, all in one entry unless it grows too large. */
async function record(works: readonly Work[], { session }: TriagePorts): Promise<void> {
  const batches = changeBatches(works.flatMap(({ change }) => (change ? [[change]] : [])));
  for (const batch of batches) {
    const ids = new Set(batch.map(({ taskId }) => taskId));
    await together(
      works.filter(({ taskId }) => ids.has(taskId)),
      async () => {
        await session.append((state) => {
          const changes = batch.filter(({ taskId }) => !state.tasks.has(taskId));
          return changes.length === 0 ? undefined : { body: { kind: 'task', changes } };
        });
      },
    );
  }
}

/** Lets the ledger's word take effect: a message to the drafting queue, or the item's final state. */
async function conclude(works: readonly Work[], ports: TriagePorts): Promise<void> {
  const toDraft: Work[] = [];
  await alone(works, async (work) => {
    const task = ports.session.state.tasks.get(work.taskId);
    if (!task) throw new Error('the ledger refused the task');
    const [status, event] = nextStep(task);
    const reason = task.reason?.split(':', 1)[0];
    if (status === 'respond') toDraft.push(work);
    if (event !== undefined) await ports.tasks.settle(work.taskId, event, 'local');
    if (status !== 'respond') work.outcome = { status, ...(reason === undefined ? {} : { reason }) };
    else if (reason !== undefined) work.reason = reason;
  });
  if (toDraft.length === 0) return;
  await together(toDraft, async () => {
    await ports.drafting.send(
      toDraft.map(({ taskId, delivery }) => ({ taskId, correlationId: delivery.sesMessageId })),
    );
    for (const work of toDraft) {
      work.outcome = { status: 'respond', ...(work.reason === undefined ? {} : { reason: work.reason }) };
    }
  });
}

/** From the ledger alone, so that a repetition after a crash does what the first try would have done. */
function nextStep(task: TaskView): readonly [TriageOutcome['status'], TaskEvent?] {
  if (task.state === 'ignored') return ['ignore', 'ignored'];
  if (task.state === 'quarantined') return ['quarantine', 'quarantined'];
  if (task.state !== 'needs_action') return ['duplicate'];
  return task.home === 'cloud' ? ['respond'] : ['notify', 'noted'];
}
