import { EPOCH_WINDOW } from '#protocol/claim.ts';
import { shortId } from '#protocol/ids.ts';
import type { LedgerBody, NoteRef, TaskChange } from '#protocol/ledger-body.ts';
import type { EntryDraft } from '#protocol/ledger-entry.ts';
import { notePath, zoneOf } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import { accepted } from '../append-change.ts';
import { load, store } from '../contents.ts';
import { planOf } from '../plan.ts';
import { placeNote } from '../sync/place-note.ts';
import { ClaimRefusedError, UnknownAgentError } from './claim-errors.ts';
import { setClaimPlan } from './claim-plan.ts';
import type { PlanOf } from './claim-plan.ts';
import { taskOf } from './claim-task.ts';

/**
 * Puts down a task that this machine holds: back to `Needs_Action/`, or to `Pending_Approval/` with the note
 * as it stands here, which has to be one that could be run.
 *
 * @throws {ClaimRefusedError} when this machine does not hold it. {@link NoteFormatError}
 */
export async function releaseTask(
  agent: Agent,
  taskId: string,
  to: 'needs_action' | 'pending_approval',
): Promise<void> {
  await agent.session.pull();
  const task = taskOf(agent, taskId);
  // Released already, by a run that died before it could say so.
  const isOurs = agent.copy.entryAt(task.updatedN)?.writer === agent.config.agent;
  if (task.owner === undefined && task.state === to && task.home === 'local' && isOurs) return;
  requireHeld(agent, task);
  const from = notePath(task);
  const body: LedgerBody =
    to === 'needs_action'
      ? { kind: 'claim', event: 'released' }
      : { kind: 'task', changes: [await drafted(agent, task)] };
  setClaimPlan(agent, taskId, { op: 'release' });
  await tell(agent, task, { taskId, epoch: task.epoch, body });
  await finishRelease(agent, taskId);
  await placeNote(agent, task, from);
}

/** Lets the item follow the ledger, if the ledger says that the task was put down. */
export async function finishRelease(agent: Agent, taskId: string): Promise<void> {
  const owner = agent.config.agent;
  const item = taskOf(agent, taskId).owner === owner ? undefined : await agent.tasks.get(taskId);
  if (item?.owner === owner) {
    // It may be this machine's by a newer claim: others took it meanwhile, and handed it over.
    await agent.session.pull();
    const { owner: holder, state: to, home } = taskOf(agent, taskId);
    if (holder === undefined) await agent.tasks.release({ taskId, owner, epoch: item.epoch, to, home });
  }
  setClaimPlan(agent, taskId, undefined);
}

/**
 * Hands a task that this machine holds over to another machine of the owner.
 *
 * @throws {UnknownAgentError} {@link ClaimRefusedError}
 */
export async function transferTask(agent: Agent, taskId: string, newOwner: string): Promise<void> {
  await agent.session.pull();
  const task = taskOf(agent, taskId);
  requireMachine(agent, newOwner);
  if (task.state === 'drafting' && task.owner === newOwner) return;
  requireHeld(agent, task);
  const plan = { op: 'transfer', attemptId: agent.ids.next(), epoch: task.epoch, newOwner } as const;
  const from = notePath(task);
  setClaimPlan(agent, taskId, plan);
  const { attemptId, epoch } = plan;
  const owner = agent.config.agent;
  const answer = await agent.tasks.transfer({ taskId, owner, epoch, newOwner, attemptId, zone: 'local' });
  await finishTransfer(agent, taskId, plan);
  if (!answer.won) {
    const item = await agent.tasks.get(taskId);
    throw new ClaimRefusedError(
      `${shortId(taskId)} is not this machine's any more: the task store names ${item?.owner ?? 'nobody'} ` +
        `(epoch ${item?.epoch ?? 0}). Run "employee sync" and look again`,
    );
  }
  await placeNote(agent, task, from);
}

/** Writes the entry of a transfer that the task store has made. */
export async function finishTransfer(agent: Agent, taskId: string, plan: PlanOf<'transfer'>): Promise<void> {
  const { newOwner: owner, attemptId } = plan;
  const item = await agent.tasks.get(taskId);
  const isMade = item?.owner === owner && item.attemptId === attemptId && item.epoch > plan.epoch;
  if (isMade && item.epoch <= plan.epoch + EPOCH_WINDOW) {
    await agent.session.append(({ tasks }) => {
      const now = tasks.get(taskId);
      if (now?.state !== 'drafting' || now.epoch !== plan.epoch) return undefined;
      return { taskId, epoch: item.epoch, body: { kind: 'claim', event: 'transferred', owner } };
    });
  }
  setClaimPlan(agent, taskId, undefined);
}

/** The person's own draft: what stands in the note here, if it could be run as it stands. */
async function drafted(agent: Agent, task: TaskView): Promise<TaskChange> {
  const path = notePath(task) ?? '';
  const bytes = await agent.files.read(path);
  if (!bytes || !task.note)
    throw new ClaimRefusedError(`the note ${path} is not in the vault; run "employee sync"`);
  await planOf(agent, task, bytes);
  const why = withheldContent(bytes, await load(agent, task.note.content, 'shared'));
  if (why !== undefined) throw new ClaimRefusedError(`${path}: ${why}; take it out of the note first`);
  const note: NoteRef = { name: task.note.name, content: await store(agent, bytes, 'shared') };
  const { taskId, epoch } = task;
  return { taskId, epoch, event: 'drafted', owner: agent.config.agent, note, home: 'local' };
}

async function tell(agent: Agent, held: TaskView, draft: EntryDraft): Promise<void> {
  const { taskId, epoch } = held;
  const outcome = await agent.session.append(({ tasks }) => {
    const now = tasks.get(taskId);
    const isHeld = now?.state === 'drafting' && now.owner === agent.config.agent && now.epoch === epoch;
    return isHeld ? draft : undefined;
  });
  if (outcome.appended && accepted(agent.session.state, outcome.entry.n)) return;
  setClaimPlan(agent, taskId, undefined);
  const { owner, state } = taskOf(agent, taskId);
  throw new ClaimRefusedError(
    `${shortId(taskId)} was taken from this machine meanwhile: it is ${state.replaceAll('_', ' ')}` +
      (owner === undefined ? '' : ` by ${owner}`),
  );
}

function requireHeld(agent: Agent, { taskId, state, owner }: TaskView): void {
  if (state === 'drafting' && owner === agent.config.agent) return;
  const short = shortId(taskId);
  if (state === 'executing') {
    throw new ClaimRefusedError(
      `${short} is being carried out; that ends by itself and cannot be handed over`,
    );
  }
  const holder = owner === undefined ? 'nobody holds it' : `${owner} holds it`;
  throw new ClaimRefusedError(
    `${short} is ${state.replaceAll('_', ' ')} and ${holder}; claim it first ("employee claim ${short}")`,
  );
}

function requireMachine({ session: { state } }: Agent, name: string): void {
  if (zoneOf(state, name) === 'local') return;
  const machines = (state.keys?.writers ?? []).filter(({ zone }) => zone === 'local');
  const known = machines.map(({ writer }) => writer).join(', ');
  const cloud = zoneOf(state, name) === 'cloud';
  throw new UnknownAgentError(
    cloud
      ? `nothing is handed to the cloud; it takes by itself what it may draft. The machines of this vault: ${known}`
      : `no machine of this vault is called ${name}; there are: ${known}`,
  );
}
