import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerBody, TaskChange } from '#protocol/ledger-body.ts';
import type { EntryDraft, LedgerEntry, Writer } from '#protocol/ledger-entry.ts';
import type { LedgerSession } from '#protocol/ledger-session.ts';
import { TaskEvent } from '#protocol/task.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { draftedNote, OTHER_TASK, SHA, TASK } from './samples.ts';
import { approvalEntry, change, DIGEST, drafted, intentEntry, resultEntry } from './scene.ts';

const NOTES = {
  [TASK]: draftedNote('First.', 'first.md'),
  [OTHER_TASK]: draftedNote('Second.', 'second.md'),
};
type Id = keyof typeof NOTES;

/** The way ahead comes first, so that few numbers lead far. */
const CLOUD_STEPS = ['created', 'draft_started', 'drafted', 'draft_abandoned'] as const;
const LOCAL_STEPS = ['approve', 'intent', 'result', 'edited', 'voided', 'redraft', 'rejected'] as const;
type Step = (typeof CLOUD_STEPS)[number] | (typeof LOCAL_STEPS)[number];

/** What an honest writer appends for a step in the state it knows, or nothing. */
function honest(
  factory: LedgerFactory,
  step: Step,
  taskId: Id,
  writer: Writer,
  nonce: string,
  state: VaultState,
): EntryDraft | undefined {
  const task = state.tasks.get(taskId);
  const note = NOTES[taskId];
  if (step === 'created') return task ? undefined : change('created', { taskId, note });
  if (!task) return undefined;
  const { epoch } = task;
  const when = (states: string, draft: EntryDraft): EntryDraft | undefined =>
    states.split(' ').includes(task.state) ? draft : undefined;
  switch (step) {
    case 'draft_started':
      return when('needs_action', change(step, { taskId, epoch: epoch + 1, owner: writer.writer }));
    case 'drafted':
      return when('drafting', change(step, { taskId, epoch, owner: writer.writer, note }));
    case 'draft_abandoned':
      return when('drafting', change(step, { taskId, epoch }));
    case 'edited':
      return when('pending_approval failed done', change(step, { taskId, epoch, note }));
    case 'voided':
      return when('approved', change(step, { taskId, epoch, reason: 'edited' }));
    case 'rejected':
    case 'redraft':
      return when('pending_approval', change(step, { taskId, epoch, reason: 'no' }));
    case 'approve':
      return when(
        'pending_approval failed indeterminate',
        approvalEntry(factory, {
          taskId,
          note,
          statement: { taskId, epoch, nonce, noteDigest: note.content.sha256 },
        }),
      );
    case 'intent': {
      const used = task.approval?.approval.statement.nonce ?? '';
      return when('approved', intentEntry(epoch + 1, { nonce: used, owner: writer.writer }, taskId));
    }
    case 'result': {
      const outcome = (['succeeded', 'failed', 'indeterminate'] as const)[nonce.length % 3] ?? 'failed';
      return when('executing', resultEntry(task.intent?.n ?? 0, { outcome }, epoch, taskId));
    }
  }
}

const taskIds = fc.constantFrom<Id>(TASK, OTHER_TASK);
const who = fc.constantFrom('cloud' as const, 'local' as const, 'other' as const);
/** Steps that are taken at the same time, by writers that may know an older state. Each picks one that is possible. */
const pick = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 5 }) });
const round = fc.array(fc.record({ who, pick, taskId: taskIds }), {
  minLength: 1,
  maxLength: 4,
});
type Turn = typeof round extends fc.Arbitrary<(infer T)[]> ? T : never;
type Play = { who: Turn['who']; draft: (state: VaultState) => EntryDraft | undefined };

function turn(factory: LedgerFactory, { who, pick, taskId }: Turn, nonce: string): Play {
  const steps: readonly Step[] = who === 'cloud' ? CLOUD_STEPS : LOCAL_STEPS;
  return {
    who,
    draft: (state) => {
      const possible = steps.flatMap(
        (step) => honest(factory, step, taskId, factory[who], nonce, state) ?? [],
      );
      return possible[pick % possible.length];
    },
  };
}

/** What nobody honest writes: any event with any epoch, and approvals, intents and results of one's own making. */
const epochs = fc.nat({ max: 6 });
const hostile = fc.oneof(
  fc.record({
    kind: fc.constant('event' as const),
    event: fc.constantFrom('created' as const, ...TaskEvent.options),
    epoch: epochs,
  }),
  fc.record({
    kind: fc.constant('approval' as const),
    signed: fc.constantFrom('cloud' as const, 'owner' as const),
    epoch: epochs,
  }),
  fc.record({ kind: fc.constant('copied approval' as const) }),
  fc.record({
    kind: fc.constant('intent' as const),
    epoch: epochs,
    digest: fc.constantFrom(DIGEST, SHA),
    nonce: fc.nat({ max: 30 }),
  }),
  fc.record({ kind: fc.constant('result' as const), epoch: epochs, n: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('claim' as const), epoch: epochs }),
  fc.record({ kind: fc.constant('keys' as const) }),
);
type Hostile = typeof hostile extends fc.Arbitrary<infer T> ? T : never;

function hostileDraft(factory: LedgerFactory, each: Hostile, taskId: Id, state: VaultState): EntryDraft {
  const note = NOTES[taskId];
  switch (each.kind) {
    case 'event': {
      const { event, epoch } = each;
      return change(event, { taskId, epoch, note, owner: 'cloud' } satisfies Partial<TaskChange>);
    }
    case 'approval': {
      const key = each.signed === 'cloud' ? factory.cloud.signingKey : factory.approver.key;
      const statement = {
        taskId,
        epoch: each.epoch,
        nonce: 'nonce-of-hostile-1',
        noteDigest: note.content.sha256,
      };
      return approvalEntry(factory, { taskId, note, key, statement });
    }
    case 'copied approval': {
      const approvals = [...state.tasks.values()].flatMap(({ approval }) => (approval ? [approval] : []));
      const [given] = approvals;
      return given
        ? { taskId, body: { kind: 'approval', approval: given.approval, note } }
        : approvalEntry(factory, { taskId, note, key: factory.cloud.signingKey });
    }
    case 'intent':
      return intentEntry(each.epoch, { actionsDigest: each.digest, nonce: nonceOf(each.nonce) }, taskId);
    case 'result':
      return resultEntry(each.n, {}, each.epoch, taskId);
    case 'claim':
      return { taskId, epoch: each.epoch, body: { kind: 'claim', event: 'claimed', owner: 'cloud' } };
    case 'keys':
      return {
        body: {
          ...factory.keys,
          approvers: [{ approver: 'owner', publicKey: factory.cloud.signingKey.publicKey }],
        },
      };
  }
}

function nonceOf(count: number): string {
  return `nonce-0123456789-${count}`.padEnd(18 + (count % 3), 'x');
}

/** Reads the ledger step by step beside a model of its own, which knows nothing but approvals and nonces. */
function audit(
  factory: LedgerFactory,
  entries: readonly LedgerEntry[],
): { intents: number; refused: number } {
  const open = new Map<string, { digest: string; nonce: string }>();
  const consumed = new Set<string>();
  const epochs = new Map<string, number>();
  const reader = factory.session(factory.local, factory.store());
  let intents = 0;
  for (const entry of entries) {
    const before = reader.state.refusals.length;
    const { body } = reader.admit(entry);
    const accepted = reader.state.refusals.length === before;
    for (const { taskId, epoch } of reader.state.tasks.values()) {
      expect(epoch).toBeGreaterThanOrEqual(epochs.get(taskId) ?? 0);
      epochs.set(taskId, epoch);
    }
    if (!accepted || !body) continue;
    if (writesOfTheOwner(body)) expect(entry.writer).not.toBe('cloud');
    if (body.kind === 'approval') {
      const { statement } = body.approval;
      expect(statement.taskId).toBe(entry.taskId);
      open.set(statement.taskId, { digest: statement.actionsDigest, nonce: statement.nonce });
    }
    if (body.kind === 'task') {
      for (const { taskId, event } of body.changes) if (event !== 'edited') open.delete(taskId);
    }
    if (body.kind === 'intent') {
      intents += 1;
      // The approval that stands, of these very actions, given before and used now for the first time.
      expect(open.get(entry.taskId ?? '')).toEqual({ digest: body.actionsDigest, nonce: body.nonce });
      expect(consumed.has(body.nonce)).toBe(false);
      consumed.add(body.nonce);
      open.delete(entry.taskId ?? '');
    }
  }
  return { intents, refused: reader.state.refusals.length };
}

function writesOfTheOwner({ kind }: LedgerBody): boolean {
  return ['approval', 'intent', 'result', 'keys', 'override', 'checkpoint'].includes(kind);
}

/** A ledger in which one task waits for a person already. */
function beginning(): LedgerFactory {
  const factory = createLedgerFactory();
  drafted(factory, TASK, NOTES[TASK]);
  return factory;
}

/** Three sessions on one store, and all that they did in rounds. */
async function play(
  rounds: readonly (readonly Play[])[],
  factory: LedgerFactory,
): Promise<{ entries: LedgerEntry[]; sessions: LedgerSession[] }> {
  const store = factory.store(3);
  const sessions = {
    cloud: factory.session(factory.cloud, store),
    local: factory.session(factory.local, store),
    other: factory.session(factory.other, store),
  };
  for (const steps of rounds) {
    await Promise.all(steps.map(({ who, draft }) => sessions[who].append(draft)));
  }
  const all = Object.values(sessions);
  await Promise.all(all.map((session) => session.pull()));
  return { entries: store.rows.map(({ entry }) => entry as LedgerEntry), sessions: all };
}

function plain(state: VaultState | undefined): unknown {
  return state && structuredClone({ ...state });
}

describe('any order of the steps of honest writers', () => {
  it('gives the same state to every reader, and nothing is refused', async () => {
    let intents = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(round, { maxLength: 12, size: 'max' }), async (rounds) => {
        const factory = beginning();
        let count = 0;
        const script = rounds.map((turns) => turns.map((each) => turn(factory, each, nonceOf(count++))));
        const { entries, sessions } = await play(script, factory);
        const [first, ...others] = sessions.map(({ state }) => plain(state));
        for (const other of others) expect(other).toEqual(first);
        expect(plain(factory.replay(factory.cloud, entries))).toEqual(first);
        const audited = audit(factory, entries);
        expect(audited.refused).toBe(0);
        intents += audited.intents;
      }),
      { numRuns: 80 },
    );
    // Otherwise the property would speak of nothing.
    expect(intents).toBeGreaterThan(10);
  });
});

describe('any order of honest and hostile entries', () => {
  it('has no effect without its approval, none twice, and the same state for every reader', async () => {
    const mixed = fc.oneof(
      { weight: 3, arbitrary: round.map((turns) => ({ turns, attack: undefined })) },
      {
        weight: 1,
        arbitrary: fc.record({
          turns: fc.constant([]),
          attack: fc.record({
            by: fc.constantFrom('cloud' as const, 'local' as const),
            what: hostile,
            taskId: taskIds,
          }),
        }),
      },
    );
    let [intents, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(mixed, { maxLength: 20, size: 'max' }), async (rounds) => {
        const factory = beginning();
        let count = 0;
        const script = rounds.map(({ turns, attack }) => {
          const good = turns.map((each) => turn(factory, each, nonceOf(count++)));
          if (!attack) return good;
          // Keys are the owner's to change; only the cloud attacks with them.
          const who = attack.what.kind === 'keys' ? ('cloud' as const) : attack.by;
          return [
            ...good,
            { who, draft: (state: VaultState) => hostileDraft(factory, attack.what, attack.taskId, state) },
          ];
        });
        const { entries, sessions } = await play(script, factory);
        const [first, ...others] = sessions.map(({ state }) => plain(state));
        for (const other of others) expect(other).toEqual(first);
        const audited = audit(factory, entries);
        intents += audited.intents;
        refused += audited.refused;
      }),
      { numRuns: 100 },
    );
    expect(intents).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(50);
  });
});
