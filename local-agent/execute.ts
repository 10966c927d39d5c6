import { sha256Hex } from '#protocol/canonical.ts';
import { verifyApproval } from '#protocol/approval.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import { shortId } from '#protocol/ids.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { Task } from '#protocol/task.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from './agent.ts';
import { accepted } from './append-change.ts';
import { load, store } from './contents.ts';
import { callOnce } from './call-once.ts';
import { claimItem, isUsedUp } from './claims/claim-item.ts';
import { completeHistory } from './complete-history.ts';
import { finish, recover } from './finish.ts';
import { isKnown, lostIntentsOf, lostWords } from './lost-intents.ts';
import type { LostIntent } from './lost-intents.ts';
import { oneByOne } from './one-by-one.ts';
import { planOf } from './plan.ts';
import type { Plan } from './plan.ts';
import { readPolicy } from './policy-file.ts';
import { settleAll, settleVoided } from './settle-items.ts';
import { stopwatch } from './stopwatch.ts';
import { appendNote } from './sync/append-note.ts';
import { explained } from './sync/note-text.ts';
import { approvalVoid } from './sync/note-words.ts';
import { placeNote } from './sync/place-note.ts';
import { MAIL_TOOL, toolCallOf } from './tool-call.ts';

const LEASE_MS = 5 * 60_000;
const USED_UP = usedUp('the task store says that it was carried out already');
const LOST = usedUp('the archive says that it was begun already');

export interface ExecuteReport {
  readonly executed: { taskId: string; outcome: string; providerId?: string; detail?: string }[];
  /** Approved, but not what was approved, or not any more: nothing ran. */
  readonly refused: { taskId: string; why: string }[];
  /** Waits for a decision: voided approvals, unknown outcomes. */
  readonly needsPerson: { taskId: string; why: string }[];
}

/**
 * One pass over the approved tasks: each is checked against its approval again, claimed, its intent made
 * durable, its tool called once, its result written. What an earlier run left half done is settled
 * first, without calling anything again.
 *
 * @param options.undoSeconds leave approvals alone that are younger than this. @default 0
 * @param options.leaseMs for how long others leave a silent execution alone. @default 5 minutes
 */
export async function executeApproved(
  agent: Agent,
  options: { readonly undoSeconds?: number; readonly leaseMs?: number } = {},
): Promise<ExecuteReport> {
  // After a sync there is nothing to complete; a machine that lost its copy acts on no checkpoint's word.
  await completeHistory(agent);
  await agent.session.pull();
  const report: ExecuteReport = { executed: [], refused: [], needsPerson: [] };
  const failures: unknown[] = [];
  await recover(agent, report.executed, failures);
  await settleAll(agent, failures);
  const approved = [...agent.session.state.tasks.values()]
    // Another machine's approval is that machine's to carry out: it alone knows what it has begun.
    .filter((task) => task.state === 'approved' && task.approval?.writer === agent.config.agent)
    .sort((a, b) => (a.approval?.n ?? 0) - (b.approval?.n ?? 0));
  const { undoSeconds = 0, leaseMs = LEASE_MS } = options;
  for (const task of approved) {
    if (!isDue(agent, task, undoSeconds)) continue;
    await oneByOne(failures, () => executeTask(agent, task, report, leaseMs));
  }
  if (failures.length > 0) throw failures[0];
  for (const task of agent.session.state.tasks.values()) {
    const why = waitsFor(task);
    if (why !== undefined) report.needsPerson.push({ taskId: task.taskId, why });
  }
  return report;
}

async function executeTask(
  agent: Agent,
  task: TaskView,
  report: ExecuteReport,
  leaseMs: number,
): Promise<void> {
  if (
    agent.copy.noteAt(task.taskId)?.path !== notePath(task) &&
    !(await agent.files.read(notePath(task) ?? ''))
  ) {
    report.refused.push({ taskId: task.taskId, why: 'its note is not in Approved/ here yet' });
    return;
  }
  const checked = await check(agent, task);
  if ('why' in checked) {
    await askAgain(agent, task, checked);
    report.refused.push({ taskId: task.taskId, why: checked.why });
    return;
  }
  const cap = await capReached(agent);
  if (cap !== undefined) {
    report.refused.push({ taskId: task.taskId, why: cap });
    return;
  }
  const lost = await lostIntentsOf(agent, task.taskId);
  if (!isKnown(agent, task, lost)) {
    await askAgain(agent, task, { why: LOST });
    report.refused.push({ taskId: task.taskId, why: LOST });
    return;
  }
  // Started before anything is taken: a tool that cannot be used costs no approval, and what may have
  // happened when this machine dies is confined to the call itself.
  const unusable = await agent.tools.prepare(MAIL_TOOL.server, MAIL_TOOL.tool);
  if (unusable !== undefined) {
    report.refused.push({ taskId: task.taskId, why: `${unusable}; it stays approved` });
    return;
  }
  const still = stopwatch(agent.clock);
  const epoch = await claim(agent, task, leaseMs, lost);
  if (epoch === undefined) {
    const item = await agent.tasks.get(task.taskId);
    const why = isUsedUp(task, item) ? USED_UP : whoHolds(task, item);
    if (why === USED_UP) await askAgain(agent, task, { why });
    report.refused.push({ taskId: task.taskId, why });
    return;
  }
  const from = notePath(task);
  // One claim, one effect: the epoch is raised by every claim, so the key is never used twice.
  const idempotencyKey = `${task.taskId}-${epoch}`;
  const call = await toolCallOf(agent, task, checked, idempotencyKey);
  agent.copy.journal(idempotencyKey, { stage: 'prepared' });
  if (!(await recordIntent(agent, task, checked, { epoch, idempotencyKey }))) {
    await finish(agent, task, epoch);
    report.refused.push({
      taskId: task.taskId,
      why: `it changed while it was taken: it is ${task.state} now`,
    });
    return;
  }
  await placeNote(agent, task, from);
  await callOnce(agent, task, { call, idempotencyKey, epoch, leaseMs, still });
  report.executed.push(await finish(agent, task, epoch));
}

interface Refused {
  readonly why: string;
  readonly bytes?: Uint8Array;
}

/** Everything that has to hold in the moment before an effect. */
async function check(agent: Agent, task: TaskView): Promise<Plan | Refused> {
  const approval = task.approval?.approval;
  const approver = agent.session.state.keys?.approvers.find(
    (known) => known.approver === approval?.statement.approver,
  );
  if (!approval || !approver || !verifyApproval(approval, approver.publicKey)) {
    return { why: 'there is no valid approval' };
  }
  const { statement } = approval;
  if (statement.taskId !== task.taskId || statement.vaultId !== agent.config.vaultId) {
    return { why: 'the approval is of another task' };
  }
  const now = agent.clock.now();
  if (now >= statement.expires) return { why: `the approval expired at ${statement.expires}` };
  if (now < statement.notBefore) return { why: `the approval is not valid before ${statement.notBefore}` };
  const bytes = await agent.files.read(notePath(task) ?? '');
  if (!bytes) return { why: 'the approved note is not in Approved/ any more' };
  if (sha256Hex(bytes) !== statement.noteDigest)
    return { why: 'the note was changed after it was approved', bytes };
  try {
    const plan = await planOf(agent, task, bytes);
    if (plan.actionsDigest === statement.actionsDigest) return plan;
    return {
      why: 'what would be done is not what was approved (an attachment or the sender changed)',
      bytes,
    };
  } catch (error) {
    if (error instanceof NoteFormatError) return { why: error.message, bytes };
    throw error;
  }
}

/** Voids the approval and brings the note, with whatever stands in it now, back to `Pending_Approval/`. */
async function askAgain(agent: Agent, task: TaskView, { why, bytes }: Refused): Promise<void> {
  const from = notePath(task);
  if (task.note) {
    const before = await load(agent, task.note.content, 'shared');
    // What must not leave this machine stays here, beside the ledger's note.
    const now = bytes && withheldContent(bytes, before) === undefined ? bytes : before;
    const text = explained(now, approvalVoid(why));
    const { name } = task.note;
    const note = { name, content: await store(agent, text, 'shared') };
    const isWritten = Buffer.compare(now, before) !== 0 && Buffer.compare(now, text) !== 0;
    await appendNote(
      agent,
      task,
      isWritten
        ? // What the person wrote stands in the ledger as it was written, also where the note says more.
          [
            { event: 'voided', reason: why, note: { name, content: await store(agent, now, 'shared') } },
            { event: 'edited', note },
          ]
        : [{ event: 'voided', reason: why, note }],
    );
  }
  await settleVoided(agent, task);
  await placeNote(agent, task, from);
}

function usedUp(says: string): string {
  return `${lostWords(says)} before you approve it again`;
}

async function claim(
  agent: Agent,
  task: TaskView,
  leaseMs: number,
  lost: readonly LostIntent[],
): Promise<number | undefined> {
  const item = await claimItem(agent, task.taskId, {
    // The same approval is the same attempt: after a crash this machine may take it up again.
    attemptId: task.approval?.approval.statement.nonce ?? '',
    from: ['approved'],
    to: 'executing',
    leaseMs,
    // Theirs were given out, and so were the keys that are made of them.
    above: Math.max(0, ...lost.map(({ epoch }) => epoch)),
  });
  if (!item) return undefined;
  agent.copy.noteClaim(task.taskId, item.epoch);
  return item.epoch;
}

function whoHolds({ taskId }: TaskView, item: Task | undefined): string {
  const { owner } = item ?? {};
  if (owner === undefined) return 'another agent was quicker; nothing was run here';
  return (
    `${owner} holds this task; nothing was run here. If ${owner} is gone for good, ` +
    `the daemon takes it over, and so does "employee claim ${shortId(taskId)} --takeover"`
  );
}

/** Makes the intent durable. In the same append the nonce is consumed: it is accepted once or never. */
async function recordIntent(
  agent: Agent,
  task: TaskView,
  plan: Plan,
  { epoch, idempotencyKey }: { readonly epoch: number; readonly idempotencyKey: string },
): Promise<boolean> {
  const nonce = task.approval?.approval.statement.nonce ?? '';
  const outcome = await agent.session.append((state) => {
    const now = state.tasks.get(task.taskId);
    const same = now?.state === 'approved' && now.approval?.approval.statement.nonce === nonce;
    if (!same || state.nonces.get(nonce) !== 'open') return undefined;
    // What replay would refuse is not written: the clock may have been set, either way, since the approval was looked at.
    const { notBefore = '', expires = '' } = now.approval?.approval.statement ?? {};
    const at = agent.clock.now();
    if (epoch <= now.epoch || at < notBefore || at >= expires) return undefined;
    return {
      taskId: task.taskId,
      epoch,
      body: {
        kind: 'intent',
        owner: agent.config.agent,
        nonce,
        actionsDigest: plan.actionsDigest,
        actionIndex: 0,
        tool: `${MAIL_TOOL.server}/${MAIL_TOOL.tool}`,
        idempotencyKey,
      },
    };
  });
  return (
    outcome.appended && task.intent?.n === outcome.entry.n && accepted(agent.session.state, outcome.entry.n)
  );
}

async function capReached(agent: Agent): Promise<string | undefined> {
  const cap = (await readPolicy(agent.files)).dailyCap.email;
  const today = agent.clock.now().slice(0, 10);
  const begun = [...agent.session.state.effects.values()].filter((at) => at.startsWith(today));
  return begun.length < cap
    ? undefined
    : `today's cap of ${cap} mails (Policy.yaml, dailyCap) is reached; it runs tomorrow`;
}

function isDue(agent: Agent, task: TaskView, undoSeconds: number): boolean {
  const approvedAt = task.approval?.approval.statement.notBefore ?? task.updatedAt;
  return Date.parse(agent.clock.now()) - Date.parse(approvedAt) >= undoSeconds * 1000;
}

function waitsFor(task: TaskView): string | undefined {
  if (task.state === 'pending_approval' && task.voided !== undefined)
    return `approve it again: ${task.voided}`;
  if (task.state === 'indeterminate') {
    return `whether it was sent is unknown (${task.reason ?? 'no answer'}); look, then approve with --again or reject`;
  }
  return undefined;
}
