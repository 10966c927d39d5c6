import { statesBefore, transition } from './task.ts';
import type { Task, TaskEvent, TaskState, Zone } from './task.ts';

/**
 * How far one entry of the ledger may raise a task's epoch. Claims that died leave the item ahead of the
 * ledger, by one each; what is further ahead was written by nobody honest, and readers refuse it.
 */
export const EPOCH_WINDOW = 1000;

/** The states in which somebody holds a task. */
export type WorkState = 'drafting' | 'executing';

const BEGINS = { drafting: 'draft_started', executing: 'execute_started' } as const;

/** Asks for the sole right to work on a task. */
export interface ClaimRequest {
  readonly taskId: string;
  /** Who wants it: `cloud` or the name of an agent. */
  readonly owner: string;
  /** One try at the work. The same attempt may claim again after a crash and then holds a new epoch. */
  readonly attemptId: string;
  readonly zone: Zone;
  /** The task must be in one of these states. */
  readonly from: readonly TaskState[];
  /** The state it has once claimed. */
  readonly to: WorkState;
  /** How long the heartbeat may stand still, on an observer's own clock, before others may take over. */
  readonly leaseMs: number;
  /** The store is not the one that all share: only a task that is at home here may be claimed. @default false */
  readonly offline?: boolean;
}

/** What the holder of a claim shows to prove that the claim is still its own. */
export interface ClaimProof {
  readonly taskId: string;
  readonly owner: string;
  readonly epoch: number;
}

/** Gives the claim up and says where the task stands now. */
export interface ReleaseRequest extends ClaimProof {
  readonly to: TaskState;
  readonly home: Zone;
  /** Effects begun under this claim; added to the task's count. @default 0 */
  readonly effects?: number;
}

/** Hands the claim to another owner, or to oneself with an epoch that is high enough. */
export interface TransferRequest extends ClaimProof {
  readonly newOwner: string;
  readonly attemptId: string;
  readonly zone: Zone;
  /** The new epoch is higher than this one as well; for an item that fell behind its ledger. */
  readonly above?: number;
}

/** A claim as an observer saw it. */
export interface SeenClaim {
  readonly owner: string;
  readonly epoch: number;
  readonly heartbeat: number;
}

/** Takes a claim whose heartbeat an observer saw standing still for the whole lease. */
export interface TakeoverRequest {
  readonly taskId: string;
  readonly owner: string;
  readonly attemptId: string;
  readonly zone: Zone;
  /** What the observer saw, twice, `leaseMs` and a margin apart on its own monotonic clock. */
  readonly seen: SeenClaim;
}

/**
 * Marks a claim as one to be taken over if its heartbeat still stands where it stands now. The mark speaks
 * of one heartbeat: with the next it means nothing, so nobody has to remove it.
 */
export interface SuspectRequest {
  readonly taskId: string;
  readonly seen: SeenClaim;
  /** Wall clock, for people only. */
  readonly at: string;
}

/** Puts an item in line with the ledger, whatever stands in it. */
export interface MendRequest {
  readonly taskId: string;
  /** The version that was looked at; `undefined` where there was no item. */
  readonly seenVersion: number | undefined;
  readonly state: TaskState;
  readonly home: Zone;
  readonly epoch: number;
  /** Who holds the task, as the ledger says it. @default nobody */
  readonly holder?: { readonly owner: string; readonly leaseMs: number } | undefined;
}

/** The answer to any of these: the new item, or no. Losing is a normal answer, not an error. */
export type ClaimAnswer = { readonly won: true; readonly task: Task } | { readonly won: false };

const LOST: ClaimAnswer = { won: false };

/**
 * The rule of a claim: free, at home where the claimant may take it and in a state it may start from, or
 * held by the same attempt of the same owner. Each claim raises `epoch`, the fencing token.
 */
export function decideClaim(task: Task | undefined, request: ClaimRequest): ClaimAnswer {
  if (!task) return LOST;
  const again = holds(task, request.owner) && task.attemptId === request.attemptId;
  const home = homeOf(request);
  const free =
    task.owner === undefined &&
    startsOf(request).includes(task.state) &&
    (home === undefined || task.home === home);
  if (!free && !(again && task.state === request.to)) return LOST;
  return won({
    ...task,
    state: request.to,
    home: request.zone,
    owner: request.owner,
    attemptId: request.attemptId,
    leaseMs: request.leaseMs,
    epoch: task.epoch + 1,
    heartbeat: task.heartbeat + 1,
  });
}

/** A sign of life. Only the holder can give it. */
export function decideRenew(task: Task | undefined, proof: ClaimProof): ClaimAnswer {
  if (!task || !proves(task, proof)) return LOST;
  return won({ ...task, heartbeat: task.heartbeat + 1 });
}

/** The holder puts the work down. `attemptId` stays, so that a lost reply can be recognised. */
export function decideRelease(task: Task | undefined, request: ReleaseRequest): ClaimAnswer {
  if (!task || !proves(task, request)) return LOST;
  const { owner: _owner, ...rest } = task;
  const effects = task.effects + (request.effects ?? 0);
  return won({ ...rest, state: request.to, home: request.home, effects });
}

/** The holder hands the work over; the old epoch is void from then on. */
export function decideTransfer(task: Task | undefined, request: TransferRequest): ClaimAnswer {
  if (!task || !proves(task, request) || !isWork(task)) return LOST;
  return won({
    ...task,
    owner: request.newOwner,
    attemptId: request.attemptId,
    home: request.zone,
    epoch: Math.max(task.epoch, request.above ?? 0) + 1,
    heartbeat: task.heartbeat + 1,
  });
}

/** Holds only if nothing at all moved since the observer looked: same owner, epoch and heartbeat. */
export function decideTakeover(task: Task | undefined, request: TakeoverRequest): ClaimAnswer {
  if (!task || !stands(task, request) || !isWork(task)) return LOST;
  // The cloud never takes what is at home on the owner's machines.
  if (request.zone === 'cloud' && task.home !== 'cloud') return LOST;
  return won({
    ...task,
    owner: request.owner,
    attemptId: request.attemptId,
    home: request.zone,
    epoch: task.epoch + 1,
    heartbeat: task.heartbeat + 1,
  });
}

/** The rule of `suspect`: what was seen still stands. */
export function decideSuspect(task: Task | undefined, request: SuspectRequest): ClaimAnswer {
  if (!task || !stands(task, request)) return LOST;
  return won({ ...task, suspectHeartbeat: request.seen.heartbeat, suspectAt: request.at });
}

/** The rule of `mend`: the item is still the one that was looked at. */
export function decideMend(task: Task | undefined, request: MendRequest): ClaimAnswer {
  if (task?.version !== request.seenVersion) return LOST;
  const { taskId, state, home, epoch, holder } = request;
  const { heartbeat = 0, version = 0, effects = 0 } = task ?? {};
  return won({ taskId, state, home, epoch, heartbeat, leaseMs: 0, ...holder, version, effects });
}

/** The rule of `settle`: the item is there, nobody holds it, and its state allows the event. */
export function decideSettle(task: Task | undefined, event: TaskEvent, home: Zone): ClaimAnswer {
  if (!task || task.owner !== undefined || !statesBefore(event).includes(task.state)) return LOST;
  return won({ ...task, state: transition(task, event), home });
}

/** The states from which a claim may start: those it names, as far as that work may begin in them. */
export function startsOf({ from, to }: Pick<ClaimRequest, 'from' | 'to'>): readonly TaskState[] {
  return from.filter((state) => statesBefore(BEGINS[to]).includes(state));
}

/** Where a task has to be at home for this claim, if that matters: only the owner's machines may take from afar. */
export function homeOf({ zone, offline }: Pick<ClaimRequest, 'zone' | 'offline'>): Zone | undefined {
  return zone === 'cloud' || offline === true ? zone : undefined;
}

function won(task: Task): ClaimAnswer {
  return { won: true, task: { ...task, version: task.version + 1 } };
}

function holds(task: Task, owner: string): boolean {
  return task.owner === owner;
}

function proves(task: Task, proof: ClaimProof): boolean {
  return holds(task, proof.owner) && task.epoch === proof.epoch;
}

function stands(task: Task, { taskId, seen }: { taskId: string; seen: SeenClaim }): boolean {
  return proves(task, { taskId, ...seen }) && task.heartbeat === seen.heartbeat;
}

function isWork({ state }: Task): boolean {
  return state in BEGINS;
}
