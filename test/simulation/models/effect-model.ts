import { signApproval } from '#protocol/approval.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import type { EntryDraft, LedgerEntry } from '#protocol/ledger-entry.ts';
import { applyEntry } from '#protocol/replay.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { change, intentEntry, NOTE, resultEntry, statementOf, vaultAt } from '#test/protocol/scene.ts';
import { TASK } from '#test/protocol/samples.ts';
import type { Model, Step } from './explore.ts';

/** How an entry becomes part of what a reader knows. */
export type ApplyRule = (state: VaultState, entry: LedgerEntry, body: LedgerBody) => void;

/** The product's. */
export const realApply: ApplyRule = (state, entry, body) => applyEntry(state, entry, body, entry.prev);

/** What a reader knows of one task, and what came of it in the world. */
export interface EffectWorld {
  readonly state: VaultState;
  /** Calls of the tool by nonce: whoever sees its own intent accepted calls, once. */
  readonly calls: Readonly<Record<string, number>>;
  /** Who took the task with which epoch. */
  readonly takers: Readonly<Record<number, string>>;
}

/** How much is explored. */
export interface EffectSize {
  /** Of `laptop`, `desktop` and `cloud`. */
  readonly writers: readonly string[];
  /** How often a person says yes. */
  readonly approvals: number;
  readonly maxEpoch: number;
}

const OUTCOMES = ['succeeded', 'failed', 'indeterminate'] as const;
const CLAIM_EVENTS = ['claimed', 'released', 'transferred', 'taken_over'] as const;
const TASK_EVENTS = [
  'draft_started',
  'drafted',
  'draft_abandoned',
  'redraft',
  'voided',
  'rejected',
  'failed',
] as const;

/**
 * Everything that anybody who holds a key can write about one task, in every order, without looking first: an honest
 * writer that was suspended and wakes with what it knew an hour ago, a program with a bug, a cloud role in the wrong
 * hands. What becomes of it is up to the real rules of replay. Whoever sees its own intent accepted calls the tool.
 *
 * Abstract are: the place of an entry (the ledger's own model shows that an append finds one), its time (all within the
 * approval's), and notes (always the same: what an edit voids is the approval's own test). Refusals are forgotten, for
 * no rule of a task reads them.
 */
export function effectModel(size: EffectSize, apply: ApplyRule = realApply): Model<EffectWorld> {
  const factory = vaultAt('pending_approval');
  const nonces = Array.from({ length: size.approvals }, (_, index) => `nonce-${index}-0123456789abcdef`);
  const epochs = Array.from({ length: size.maxEpoch + 1 }, (_, epoch) => epoch);
  const approvals = new Map<string, EntryDraft>();

  function approvalOf(nonce: string, epoch: number): EntryDraft {
    const key = `${nonce} ${epoch}`;
    const known = approvals.get(key);
    if (known) return known;
    const approval = signApproval(statementOf(factory, { nonce, epoch }), 'command', factory.approver.key);
    const made: EntryDraft = { taskId: TASK, body: { kind: 'approval', approval, note: NOTE } };
    approvals.set(key, made);
    return made;
  }

  /** All that `writer` might write now. */
  function* drafts(writer: string, task: TaskView): Generator<[string, EntryDraft]> {
    for (const nonce of nonces) {
      yield [`approves (${nonce.slice(0, 7)})`, approvalOf(nonce, task.epoch)];
      for (const epoch of epochs) {
        yield [`intent (${nonce.slice(0, 7)}), epoch ${epoch}`, intentEntry(epoch, { owner: writer, nonce })];
      }
    }
    for (const epoch of epochs) {
      for (const outcome of OUTCOMES) {
        yield [`result ${outcome}, epoch ${epoch}`, resultEntry(task.intent?.n ?? 1, { outcome }, epoch)];
      }
      for (const event of CLAIM_EVENTS) {
        const owner = event === 'released' ? {} : { owner: event === 'transferred' ? 'desktop' : writer };
        yield [`${event}, epoch ${epoch}`, { taskId: TASK, epoch, body: { kind: 'claim', event, ...owner } }];
      }
      for (const event of TASK_EVENTS) {
        const owner = event === 'draft_started' || event === 'drafted' ? { owner: writer } : {};
        yield [`${event}, epoch ${epoch}`, change(event, { epoch, ...owner })];
      }
    }
  }

  function written(
    world: EffectWorld,
    writer: string,
    draft: EntryDraft,
  ): EffectWorld & { readonly task: TaskView } {
    const state = copyOf(world.state);
    const n = state.head.n + 1;
    apply(state, entryOf(draft, writer, n), draft.body);
    state.refusals.length = 0;
    const task = taskOf(state);
    const calls = { ...world.calls };
    const nonce = task.approval?.approval.statement.nonce ?? '';
    if (task.intent?.n === n) calls[nonce] = (calls[nonce] ?? 0) + 1;
    return { state, task, calls, takers: world.takers };
  }

  return {
    initial: { state: factory.replay(), calls: {}, takers: { 1: 'cloud' } },
    *steps(world): Generator<Step<EffectWorld>> {
      const before = taskOf(world.state);
      const text = taskText(world);
      for (const writer of size.writers) {
        for (const [label, draft] of drafts(writer, before)) {
          const { task, ...to } = written(world, writer, draft);
          // What is refused has no effect, and what has none is no step.
          if (taskText(to) === text || task.epoch > size.maxEpoch) continue;
          const taker = world.takers[task.epoch];
          const isTaken = task.owner !== undefined && taker === undefined;
          yield {
            label: `${writer}: ${label} → ${task.state}`,
            to: isTaken ? { ...to, takers: { ...to.takers, [task.epoch]: task.owner ?? '' } } : to,
            wrong: wrongEffect(before, task, writer, draft) ?? wrongTaker(task, taker),
          };
        }
      }
    },
    key: taskText,
    check: ({ state, calls }) =>
      Object.values(calls).some((count) => count > 1)
        ? 'the tool was called twice for one approval'
        : unsurfaced(state, apply),
    isGoal: ({ state }) => taskOf(state).owner === undefined || taskOf(state).epoch === size.maxEpoch,
  };
}

/** What no accepted entry may do. */
function wrongEffect(
  before: TaskView,
  after: TaskView,
  writer: string,
  draft: EntryDraft,
): string | undefined {
  if (after.epoch < before.epoch) return `the epoch fell from ${before.epoch} to ${after.epoch}`;
  const [first] = draft.body.kind === 'task' ? draft.body.changes : [];
  const epoch = draft.epoch ?? first?.epoch;
  if (epoch !== undefined && epoch < before.epoch) return `${writer} was let in late, with epoch ${epoch}`;
  if (
    writer === 'cloud' &&
    (after.state === 'approved' || after.state === 'executing') &&
    before.state !== after.state
  ) {
    return `the cloud zone made it ${after.state}`;
  }
  if (after.state === 'executing' && before.state !== 'executing' && before.state !== 'approved') {
    return `it was executed without an approval, from ${before.state}`;
  }
  return undefined;
}

function wrongTaker({ owner, epoch }: TaskView, taker: string | undefined): string | undefined {
  if (owner === undefined || taker === undefined || owner === taker) return undefined;
  return `epoch ${epoch} was ${taker}'s, and is ${owner}'s now`;
}

/** Whoever holds it may be dead for ever: another machine can bring it to where a person sees it. */
function unsurfaced(world: VaultState, apply: ApplyRule): string | undefined {
  if (taskOf(world).owner === undefined) return undefined;
  const state = copyOf(world);
  const { owner, epoch: held } = taskOf(state);
  const epoch = held + 1;
  const say = (draft: EntryDraft): void =>
    apply(state, entryOf(draft, 'desktop', state.head.n + 1), draft.body);
  say({ taskId: TASK, epoch, body: { kind: 'claim', event: 'taken_over', owner: 'desktop' } });
  const { intent, state: at } = taskOf(state);
  if (at === 'executing') say(resultEntry(intent?.n ?? 0, { outcome: 'indeterminate' }, epoch));
  if (at === 'drafting') say(change('draft_abandoned', { epoch }));
  const after = taskOf(state);
  return after.owner === undefined
    ? undefined
    : `${owner} is gone, and nobody can bring the task back to a person`;
}

/** What the entries of one task change; all else is never written to. */
function copyOf(state: VaultState): VaultState {
  const task = taskOf(state);
  return {
    ...state,
    tasks: new Map([[TASK, { ...task }]]),
    nonces: new Map(state.nonces),
    effects: new Map(),
    noteNames: new Map(state.noteNames),
    refusals: [],
  };
}

function taskOf(state: VaultState): TaskView {
  const task = state.tasks.get(TASK);
  if (!task) throw new Error('the task is gone');
  return task;
}

/** All of a state that a rule looks at, and what is counted beside it. */
function taskText({ state, calls, takers }: EffectWorld): string {
  const { state: at, epoch, home, owner, approval, intent, result, tried, voided } = taskOf(state);
  const { nonce, epoch: of } = approval?.approval.statement ?? {};
  const open = [
    at,
    epoch,
    home,
    owner,
    nonce,
    of,
    approval?.writer,
    intent !== undefined,
    result?.outcome,
    tried,
    voided,
  ];
  return JSON.stringify([open, [...state.nonces], calls, takers]);
}

function entryOf({ body, taskId, epoch }: EntryDraft, writer: string, n: number): LedgerEntry {
  const prev = 'a'.repeat(64);
  return {
    ...{ v: 1, vaultId: 'vault-1', n, prev, at: '2026-11-21T09:00:00.000Z', writer, attempt: `at-${n}` },
    ...{ kind: body.kind, ring: 'shared', keyEpoch: 1, body: '', sig: '' },
    ...(taskId === undefined ? {} : { taskId }),
    ...(epoch === undefined ? {} : { epoch }),
  };
}
