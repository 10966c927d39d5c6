import { TASK } from '#test/protocol/samples.ts';
import { realApply } from './effect-model.ts';
import type { ApplyRule } from './effect-model.ts';

/** A rule of replay that is broken on purpose, and how soon the model has to see it. */
export interface EffectMutant {
  readonly name: string;
  readonly apply: ApplyRule;
  /** The length of the shortest trace to a violation. */
  readonly steps: number;
  readonly wrong: RegExp;
}

/** Entries of one kind are let through whatever their epoch is, and the task has their epoch after. */
function withoutFence(kind: string, event?: string): ApplyRule {
  return (state, entry, body) => {
    const before = state.tasks.get(TASK)?.epoch ?? 0;
    const isMeant =
      body.kind === kind && (event === undefined || (body.kind === 'claim' && body.event === event));
    if (!isMeant) return realApply(state, entry, body);
    realApply(state, { ...entry, epoch: before + 1 }, body);
    const task = state.tasks.get(TASK);
    if (task && task.epoch !== before) task.epoch = entry.epoch ?? 0;
  };
}

/** Broken rules of replay. */
export function effectMutants(): readonly EffectMutant[] {
  return [
    {
      name: 'an intent without the epoch fence',
      apply: withoutFence('intent'),
      steps: 2,
      wrong: /the epoch fell/,
    },
    {
      name: 'a takeover without the epoch fence',
      apply: withoutFence('claim', 'taken_over'),
      steps: 1,
      wrong: /the epoch fell/,
    },
    {
      name: 'a result with an epoch that has passed',
      apply: (state, entry, body) => {
        const epoch = state.tasks.get(TASK)?.epoch ?? 0;
        realApply(state, body.kind === 'result' ? { ...entry, epoch } : entry, body);
      },
      steps: 3,
      wrong: /was let in late/,
    },
    {
      name: 'an intent that does not use its approval up',
      apply: (state, entry, body) => {
        realApply(state, entry, body);
        const task = state.tasks.get(TASK);
        if (body.kind !== 'intent' || task?.intent?.n !== entry.n) return;
        state.nonces.set(body.nonce, 'open');
        task.state = 'approved';
        delete task.owner;
      },
      steps: 3,
      wrong: /called twice/,
    },
    {
      name: 'a cloud that is taken for a machine of the owner',
      apply: (state, entry, body) => {
        const writer = entry.writer === 'cloud' ? 'laptop' : entry.writer;
        realApply(state, { ...entry, writer }, body);
      },
      steps: 1,
      wrong: /the cloud zone made it approved/,
    },
    {
      name: 'an intent without an approval',
      apply: (state, entry, body) => {
        const task = state.tasks.get(TASK);
        const { epoch = 0 } = entry;
        if (body.kind !== 'intent' || task?.state !== 'pending_approval')
          return realApply(state, entry, body);
        if (epoch <= task.epoch) return;
        Object.assign(task, { state: 'executing', owner: entry.writer, epoch });
        task.intent = { n: entry.n, actionIndex: 0, idempotencyKey: 'none' };
      },
      steps: 1,
      wrong: /without an approval/,
    },
    {
      name: 'a draft that nobody can take over',
      apply: (state, entry, body) => {
        if (body.kind !== 'claim' || body.event !== 'taken_over') realApply(state, entry, body);
      },
      steps: 2,
      wrong: /nobody can bring the task back/,
    },
  ];
}
