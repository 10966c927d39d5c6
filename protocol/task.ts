import { z } from 'zod';
import { EmployeeError } from './errors.ts';
import { Instant, TaskId, WriterName } from './ids.ts';

export const TASK_STATES = [
  'received',
  'needs_action',
  'drafting',
  'pending_approval',
  'approved',
  'executing',
  'done',
  'ignored',
  'rejected',
  'quarantined',
  'failed',
  'indeterminate',
] as const;

/** Where a task stands. `received` is a mail that triage has begun and not yet decided. */
export const TaskState = z.enum(TASK_STATES);
export type TaskState = z.infer<typeof TaskState>;

export const Zone = z.enum(['cloud', 'local']);
/** Which half of the system acts: the cloud may never approve or execute. */
export type Zone = z.infer<typeof Zone>;

/** The item of a task in the task store: who owns the work, and with which fencing token (`epoch`). */
export const Task = z.strictObject({
  taskId: TaskId,
  state: TaskState,
  home: Zone,
  owner: WriterName.optional(),
  attemptId: z.string().min(1).max(100).optional(),
  epoch: z.int().nonnegative(),
  heartbeat: z.int().nonnegative(),
  leaseMs: z.int().nonnegative(),
  suspectHeartbeat: z.int().nonnegative().optional(),
  suspectAt: Instant.optional(),
  version: z.int().nonnegative(),
  /** How many effects (calls of a tool) this task has begun, over all attempts. */
  effects: z.int().nonnegative(),
});
export type Task = z.infer<typeof Task>;

/** What can happen to a task, and from which states. The only place that knows. */
const TRANSITIONS = {
  /** Triage decided that somebody should look at it. */
  noted: { from: ['received'], to: 'needs_action' },
  ignored: { from: ['received'], to: 'ignored' },
  quarantined: { from: ['received', 'needs_action', 'drafting'], to: 'quarantined' },
  // A draft may start on a task whose item still reads `received`: triage saves that write.
  draft_started: { from: ['received', 'needs_action'], to: 'drafting' },
  draft_abandoned: { from: ['drafting'], to: 'needs_action' },
  drafted: { from: ['drafting'], to: 'pending_approval' },
  /** A person changed the note. Of what is approved or executed, an edit is not a plain edit. */
  edited: {
    from: [
      'needs_action',
      // Only by the holder: an agent's owner writes the draft.
      'drafting',
      'pending_approval',
      'done',
      'rejected',
      'failed',
      'indeterminate',
      'quarantined',
    ],
    to: 'same',
  },
  // A failed or unknown outcome may be approved again, with a new approval and a new nonce.
  approved: { from: ['pending_approval', 'failed', 'indeterminate'], to: 'approved' },
  /** What was approved is no longer what stands there. */
  voided: { from: ['approved'], to: 'pending_approval' },
  redraft: { from: ['pending_approval'], to: 'needs_action' },
  rejected: {
    from: ['needs_action', 'pending_approval', 'approved', 'failed', 'indeterminate', 'quarantined'],
    to: 'rejected',
  },
  execute_started: { from: ['approved'], to: 'executing' },
  succeeded: { from: ['executing'], to: 'done' },
  failed: { from: ['executing', 'drafting'], to: 'failed' },
  unknown_outcome: { from: ['executing'], to: 'indeterminate' },
} as const satisfies Record<string, { from: readonly TaskState[]; to: TaskState | 'same' }>;

export const TaskEvent = z.enum(Object.keys(TRANSITIONS) as [TaskEvent, ...TaskEvent[]]);
export type TaskEvent = keyof typeof TRANSITIONS;

/** The event cannot happen to a task in this state. */
export class IllegalTransitionError extends EmployeeError {
  static override readonly code = 'ILLEGAL_TRANSITION';
}

/** The states from which an event may happen. */
export function statesBefore(event: TaskEvent): readonly TaskState[] {
  return TRANSITIONS[event].from;
}

/**
 * The state of a task after an event.
 *
 * @throws {IllegalTransitionError} when the event cannot happen in that state.
 * @example transition({ state: 'drafting' }, 'drafted') // 'pending_approval'
 */
export function transition(task: { readonly state: TaskState }, event: TaskEvent): TaskState {
  if (!statesBefore(event).includes(task.state)) {
    throw new IllegalTransitionError(`a task that is ${task.state} cannot be ${event}`);
  }
  const { to } = TRANSITIONS[event];
  return to === 'same' ? task.state : to;
}
