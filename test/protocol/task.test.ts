import { describe, expect, it } from 'vitest';
import {
  IllegalTransitionError,
  statesBefore,
  TASK_STATES,
  Task,
  TaskEvent,
  transition,
} from '#protocol/task.ts';
import type { TaskState } from '#protocol/task.ts';
import { TASK } from './samples.ts';

/** Written out once more, by hand: from → event → to. What is not here cannot happen. */
const TABLE: Record<TaskState, Partial<Record<TaskEvent, TaskState>>> = {
  received: {
    noted: 'needs_action',
    ignored: 'ignored',
    quarantined: 'quarantined',
    draft_started: 'drafting',
  },
  needs_action: {
    quarantined: 'quarantined',
    draft_started: 'drafting',
    edited: 'needs_action',
    rejected: 'rejected',
  },
  drafting: {
    quarantined: 'quarantined',
    draft_abandoned: 'needs_action',
    drafted: 'pending_approval',
    edited: 'drafting',
    failed: 'failed',
  },
  pending_approval: {
    edited: 'pending_approval',
    approved: 'approved',
    redraft: 'needs_action',
    rejected: 'rejected',
  },
  approved: { voided: 'pending_approval', rejected: 'rejected', execute_started: 'executing' },
  executing: { succeeded: 'done', failed: 'failed', unknown_outcome: 'indeterminate' },
  done: { edited: 'done' },
  ignored: {},
  rejected: { edited: 'rejected' },
  quarantined: { edited: 'quarantined', rejected: 'rejected' },
  failed: { edited: 'failed', approved: 'approved', rejected: 'rejected' },
  indeterminate: { edited: 'indeterminate', approved: 'approved', rejected: 'rejected' },
};

const PAIRS = TASK_STATES.flatMap((state) => TaskEvent.options.map((event) => ({ state, event })));

describe('a transition', () => {
  it('is looked at for every state and every event', () => {
    expect(PAIRS).toHaveLength(12 * 15);
    expect(Object.keys(TABLE)).toEqual([...TASK_STATES]);
  });

  it.each(PAIRS)('from $state by $event is as the table says', ({ state, event }) => {
    const to = TABLE[state][event];
    expect(statesBefore(event).includes(state)).toBe(to !== undefined);
    if (to === undefined) expect(() => transition({ state }, event)).toThrow(IllegalTransitionError);
    else expect(transition({ state }, event)).toBe(to);
  });

  it.each(['done', 'ignored', 'rejected'] as const)('never leads out of %s', (state) => {
    const next = Object.values(TABLE[state]);
    expect(next.every((to) => to === state)).toBe(true);
    expect(
      TaskEvent.options.filter((event) => statesBefore(event).includes(state) && event !== 'edited'),
    ).toEqual([]);
  });

  it('leads to executing from approved alone', () => {
    const into = PAIRS.filter(({ state, event }) => TABLE[state][event] === 'executing');
    expect(into).toEqual([{ state: 'approved', event: 'execute_started' }]);
  });

  it('leads to done from executing alone', () => {
    const into = PAIRS.filter(({ state, event }) => state !== 'done' && TABLE[state][event] === 'done');
    expect(into).toEqual([{ state: 'executing', event: 'succeeded' }]);
  });

  it('never changes the state when a note is edited', () => {
    for (const state of statesBefore('edited')) expect(transition({ state }, 'edited')).toBe(state);
  });

  it.each(['approved', 'executing', 'received', 'ignored'] as const)(
    'is no plain edit while a task is %s',
    (state) => {
      expect(() => transition({ state }, 'edited')).toThrow(`a task that is ${state} cannot be edited`);
    },
  );
});

describe("a task's item", () => {
  const item: Task = {
    taskId: TASK,
    state: 'received',
    home: 'cloud',
    epoch: 0,
    heartbeat: 0,
    leaseMs: 0,
    version: 1,
    effects: 0,
  };

  it.each([
    ['an unknown member', { extra: 1 }],
    ['a fraction for an epoch', { epoch: 0.5 }],
    ['a negative version', { version: -1 }],
    ['an unknown state', { state: 'sent' }],
    ['an owner that is a path', { owner: '../cloud' }],
  ])('with %s is refused', (_name, change) => {
    expect(Task.safeParse(item).success).toBe(true);
    expect(Task.safeParse({ ...item, ...change }).success).toBe(false);
  });
});
