import { statesBefore, transition } from './task.ts';
import type { Task, TaskEvent, TaskState, Zone } from './task.ts';

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
  readonly to: TaskState;
  /** How long the heartbeat may stand still, on an observer's own clock, before others may take over. */
  readonly leaseMs: number;
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

/** Hands the claim to another owner. */
export interface TransferRequest extends ClaimProof {
  readonly newOwner: string;
  readonly attemptId: string;
  readonly zone: Zone;
}

/** Takes a claim whose heartbeat an observer saw standing still for the whole lease. */
export interface TakeoverRequest {
  readonly taskId: string;
  readonly owner: string;
  readonly attemptId: string;
  readonly zone: Zone;
  /** What the observer saw, twice, `leaseMs` and a margin apart on its own monotonic clock. */
  readonly seen: { readonly owner: string; readonly epoch: number; readonly heartbeat: number };
}

/** The answer to any of these: the new item, or no. Losing is a normal answer, not an error. */
export type ClaimAnswer = { readonly won: true; readonly task: Task } | { readonly won: false };

const LOST: ClaimAnswer = { won: false };

/**
 * The rule of a claim: free, or held by the same attempt of the same owner, and in a state it may
 * start from. Each claim raises `epoch`, the fencing token.
 */
export function decideClaim(task: Task | undefined, request: ClaimRequest): ClaimAnswer {
  if (!task) return LOST;
  const again = holds(task, request.owner) && task.attemptId === request.attemptId;
  const free = task.owner === undefined && request.from.includes(task.state);
  if (!free && !(again && task.state === request.to)) return LOST;
  return won({
    ...withoutSuspicion(task),
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
  return won({ ...withoutSuspicion(task), heartbeat: task.heartbeat + 1 });
}

/** The holder puts the work down. `attemptId` stays, so that a lost reply can be recognised. */
export function decideRelease(task: Task | undefined, request: ReleaseRequest): ClaimAnswer {
  if (!task || !proves(task, request)) return LOST;
  const { owner: _owner, ...rest } = withoutSuspicion(task);
  const effects = task.effects + (request.effects ?? 0);
  return won({ ...rest, state: request.to, home: request.home, effects });
}

/** The holder hands the work over; the old epoch is void from then on. */
export function decideTransfer(task: Task | undefined, request: TransferRequest): ClaimAnswer {
  if (!task || !proves(task, request)) return LOST;
  return won({
    ...withoutSuspicion(task),
    owner: request.newOwner,
    attemptId: request.attemptId,
    home: request.zone,
    epoch: task.epoch + 1,
    heartbeat: task.heartbeat + 1,
  });
}

/** Holds only if nothing at all moved since the observer looked: same owner, epoch and heartbeat. */
export function decideTakeover(task: Task | undefined, request: TakeoverRequest): ClaimAnswer {
  if (!task || !proves(task, { taskId: request.taskId, ...request.seen })) return LOST;
  if (task.heartbeat !== request.seen.heartbeat) return LOST;
  return won({
    ...withoutSuspicion(task),
    owner: request.owner,
    attemptId: request.attemptId,
    home: request.zone,
    epoch: task.epoch + 1,
    heartbeat: task.heartbeat + 1,
  });
}

/** The rule of `settle`: the item is there, nobody holds it, and its state allows the event. */
export function decideSettle(task: Task | undefined, event: TaskEvent, home: Zone): ClaimAnswer {
  if (!task || task.owner !== undefined || !statesBefore(event).includes(task.state)) return LOST;
  return won({ ...withoutSuspicion(task), state: transition(task, event), home });
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

function withoutSuspicion(task: Task): Task {
  const { suspectHeartbeat: _heartbeat, suspectAt: _at, ...rest } = task;
  return rest;
}
