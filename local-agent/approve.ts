import { signApproval } from '#protocol/approval.ts';
import type { Approval, ApprovalStatement } from '#protocol/approval.ts';
import type { Action } from '#protocol/action.ts';
import { shortId } from '#protocol/ids.ts';
import { requiredTier } from '#protocol/policy.ts';
import type { Policy } from '#protocol/policy.ts';
import { statesBefore } from '#protocol/task.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from './agent.ts';
import { accepted } from './append-change.ts';
import { load, store } from './contents.ts';
import { PersonNeededError } from './exit-codes.ts';
import { approvalKeyOf } from './key-epochs.ts';
import { knowLost, lostIntentsOf, lostWords } from './lost-intents.ts';
import type { LostIntent } from './lost-intents.ts';
import { planOf } from './plan.ts';
import type { Plan } from './plan.ts';
import { readPolicy } from './policy-file.ts';
import { placeNote } from './sync/place-note.ts';

export interface ApproveRequest {
  readonly method: Approval['method'];
  /** Where the note stands, if not where the ledger says (a move is read before the note is put back). */
  readonly path?: string;
  /** Approve only if the note's or the actions' digest begins so: what was looked at is what is approved. */
  readonly digest?: string | undefined;
  /** The task failed or its outcome is unknown, and the person wants it tried again, knowing that. */
  readonly again?: boolean | undefined;
}

/** What was approved. */
export interface ApproveReport {
  readonly taskId: string;
  readonly entry: number;
  readonly actionsDigest: string;
  readonly noteDigest: string;
  readonly approver: string;
  readonly expires: string;
  readonly actions: readonly Action[];
}

/**
 * Approves what stands in the note, byte for byte: reads it, signs the statement over its actions and
 * its bytes, and appends both to the ledger. Only then does the note move to `Approved/`.
 *
 * @throws {PersonNeededError} when there is nothing to approve, the policy asks for more, or what stands
 * there is not what was looked at; {@link NoteFormatError} when the note cannot be run as it stands.
 */
export async function approveTask(
  agent: Agent,
  taskId: string,
  request: ApproveRequest,
): Promise<ApproveReport> {
  await agent.session.pull();
  const task = approvable(agent, taskId, request);
  const lost = await lostIntentsOf(agent, taskId, { afresh: true });
  refuseLost(taskId, lost, request);
  const path = request.path ?? notePath(task) ?? '';
  const bytes = await agent.files.read(path);
  if (!bytes)
    throw new PersonNeededError(`the note ${path} is not in the vault; run "employee sync" and look again`);
  await refuseSecret(agent, task, path, bytes);
  const plan = await planOf(agent, task, bytes);
  const policy = await readPolicy(agent.files);
  refuseOtherDigest(plan, request.digest);
  refuseHigherTier(plan, policy);

  const statement = statementOf(agent, task, plan, policy);
  const approval = signApproval(statement, request.method, approvalKeyOf(agent));
  const note = { name: task.note?.name ?? '', content: await store(agent, bytes, 'shared') };
  const last = agent.copy.noteAt(taskId);
  // What came from elsewhere since this machine's note was in step was not looked at.
  const seen = [plan.noteDigest, last?.sha256];
  if (last) agent.copy.setNoteAt(taskId, '', last.sha256, last.n);
  const outcome = await agent.session.append((state) => {
    const now = state.tasks.get(taskId);
    const open =
      now?.epoch === task.epoch &&
      statesBefore('approved').includes(now.state) &&
      seen.includes(now.note?.content.sha256);
    return open ? { taskId, epoch: task.epoch, body: { kind: 'approval', approval, note } } : undefined;
  });
  if (!outcome.appended || !accepted(agent.session.state, outcome.entry.n)) {
    throw overtaken(agent, taskId);
  }
  knowLost(agent, taskId, lost);
  agent.copy.setNoteAt(taskId, '', plan.noteDigest);
  await settle(agent, taskId);
  await placeNote(agent, task, path);
  return {
    taskId,
    entry: outcome.entry.n,
    actionsDigest: plan.actionsDigest,
    noteDigest: plan.noteDigest,
    approver: statement.approver,
    expires: statement.expires,
    actions: plan.actions,
  };
}

/** The item follows the ledger. The approval stands also where it cannot now: the executor settles it then. */
async function settle(agent: Agent, taskId: string): Promise<void> {
  try {
    await agent.tasks.settle(taskId, 'approved', 'local');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    agent.log(`${shortId(taskId)}: the approval stands, and the task store will follow it later (${why})`);
  }
}

function overtaken(agent: Agent, taskId: string): PersonNeededError {
  const now = agent.session.state.tasks.get(taskId)?.state ?? 'gone';
  return new PersonNeededError(
    statesBefore('approved').some((state) => state === now)
      ? `the note of ${shortId(taskId)} was changed elsewhere meanwhile; run "employee sync" and look again`
      : `${shortId(taskId)} was decided elsewhere meanwhile: it is ${now} now`,
  );
}

function approvable(agent: Agent, taskId: string, request: ApproveRequest): TaskView {
  const task = agent.session.state.tasks.get(taskId);
  if (!task) throw new PersonNeededError(`${taskId} is not in the ledger`);
  if (!statesBefore('approved').includes(task.state)) {
    throw new PersonNeededError(
      `${shortId(taskId)} is ${task.state}; only a draft that waits can be approved`,
    );
  }
  const { tried } = task;
  if (tried !== undefined && request.again !== true) {
    const risk = tried === 'indeterminate' ? 'it may have been sent already' : 'it failed before';
    throw new PersonNeededError(
      `${shortId(taskId)} is ${task.state}: ${risk}. Approve with --again to try once more, or reject it`,
    );
  }
  return task;
}

function refuseLost(taskId: string, lost: readonly LostIntent[], { again }: ApproveRequest): void {
  if (lost.length === 0 || again === true) return;
  throw new PersonNeededError(
    `${lostWords(`the archive says that ${shortId(taskId)} was begun already`)}; then approve with --again to try once ` +
      'more, or reject it',
  );
}

function statementOf(agent: Agent, task: TaskView, plan: Plan, policy: Policy): ApprovalStatement {
  const now = agent.clock.now();
  const expiresMs = Date.parse(now) + policy.approvalValidHours * 3_600_000;
  return {
    purpose: 'ai-employee/approval/v1',
    vaultId: agent.config.vaultId,
    taskId: task.taskId,
    actionsDigest: plan.actionsDigest,
    noteDigest: plan.noteDigest,
    epoch: task.epoch,
    approver: agent.config.approver,
    nonce: agent.ids.next(),
    notBefore: now,
    expires: new Date(expiresMs).toISOString(),
  };
}

/** The approved note goes into the ledger with its approval. */
async function refuseSecret(agent: Agent, task: TaskView, path: string, bytes: Uint8Array): Promise<void> {
  const known = task.note && (await load(agent, task.note.content, 'shared'));
  const why = withheldContent(bytes, known);
  if (why === undefined) return;
  throw new PersonNeededError(`${path} cannot be approved: ${why}, and that must not leave this machine`);
}

function refuseOtherDigest(plan: Plan, digest: string | undefined): void {
  if (digest === undefined) return;
  const wanted = digest.toLowerCase();
  const fits = plan.noteDigest.startsWith(wanted) || plan.actionsDigest.startsWith(wanted);
  if (!fits || wanted === '') {
    throw new PersonNeededError(
      `what stands there is not what you looked at: its digest is ${plan.actionsDigest.slice(0, 12)}…, ` +
        `not ${digest}. Look again with "employee show"`,
    );
  }
}

function refuseHigherTier(plan: Plan, policy: Policy): void {
  const tier = requiredTier(plan.actions, policy);
  if (tier !== 'move') {
    throw new PersonNeededError(
      `Policy.yaml asks for "${tier}" here, which this release cannot check yet; nothing was approved. ` +
        'Set the tier to "move" if a signed approval of this machine is enough',
    );
  }
}
