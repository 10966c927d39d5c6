import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decideClaim,
  decideMend,
  decideRelease,
  decideRenew,
  decideSettle,
  decideSuspect,
  decideTakeover,
  decideTransfer,
  type ClaimAnswer,
  type ClaimRequest,
  type MendRequest,
} from '#protocol/claim.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { TASK_STATES, TaskEvent, type Task, type TaskState } from '#protocol/task.ts';
import type { Harness, MakeAdapter } from './harness.ts';

/** Puts an item as it is, whatever stands there. */
export interface TaskSeed {
  put(task: Task): Promise<void>;
}

/** How much work the suite asks of a store. */
export interface ContractSize {
  readonly racers: number;
  readonly histories: number;
}

const OWNERS = ['cloud', 'laptop', 'desktop'] as const;
const EPOCHS = [0, 1, 2, 3] as const;

function aTask(changes: Partial<Task> = {}): Task {
  return {
    taskId: taskIdOfMail(randomUUID()),
    state: 'needs_action',
    home: 'cloud',
    epoch: 0,
    heartbeat: 0,
    leaseMs: 0,
    version: 1,
    effects: 0,
    ...changes,
  };
}

function aClaim(taskId: string, changes: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    taskId,
    owner: 'cloud',
    attemptId: 'attempt-1',
    zone: 'cloud',
    from: ['received', 'needs_action'],
    to: 'drafting',
    leaseMs: 60_000,
    ...changes,
  };
}

/** What every task store does. */
export function describeTaskStoreContract(
  name: string,
  makeAdapter: MakeAdapter<TaskStore, TaskSeed>,
  size: ContractSize = { racers: 64, histories: 60 },
): void {
  describe(`task store: ${name}`, () => {
    let harness: Harness<TaskStore, TaskSeed>;
    let store: TaskStore;
    beforeAll(async () => {
      harness = await makeAdapter();
      store = harness.adapter;
    });
    afterAll(() => harness.close());

    async function seeded(changes: Partial<Task> = {}): Promise<Task> {
      const task = aTask(changes);
      await harness.extra.put(task);
      return task;
    }

    async function claimed(changes: Partial<ClaimRequest> = {}): Promise<Task> {
      const { taskId } = await seeded();
      const answer = await store.claim(aClaim(taskId, changes));
      if (!answer.won) throw new Error('a free task could not be claimed');
      return answer.task;
    }

    it('knows no task that was never begun', async () => {
      const { taskId } = aTask();
      expect(await store.get(taskId)).toBeUndefined();
      expect(await store.claim(aClaim(taskId))).toEqual({ won: false });
      expect(await store.settle(taskId, 'noted', 'cloud')).toEqual({ won: false });
      expect(await store.renew({ taskId, owner: 'cloud', epoch: 0 })).toEqual({ won: false });
      expect(await store.get(taskId)).toBeUndefined();
    });

    it('begins a task once, and again while nobody decided about it', async () => {
      const { taskId } = aTask();
      expect(await store.begin(taskId)).toBe(true);
      const begun = await store.get(taskId);
      expect(begun).toEqual(aTask({ taskId, state: 'received' }));
      expect(await store.begin(taskId)).toBe(true);
      expect(await store.get(taskId)).toEqual({ ...begun, version: 2 });
      await store.settle(taskId, 'noted', 'cloud');
      expect(await store.begin(taskId)).toBe(false);
      expect((await store.get(taskId))?.state).toBe('needs_action');
    });

    it('does not begin what somebody claimed', async () => {
      const { taskId, epoch } = await claimed();
      expect(await store.begin(taskId)).toBe(false);
      expect(await store.get(taskId)).toMatchObject({ owner: 'cloud', epoch });
    });

    it('settles a task that nobody holds, and only from a state that allows it', async () => {
      const { taskId } = await seeded({ state: 'received' });
      const answer = await store.settle(taskId, 'ignored', 'local');
      const expected = aTask({ taskId, state: 'ignored', home: 'local', version: 2 });
      expect(answer).toEqual({ won: true, task: expected });
      expect(await store.settle(taskId, 'noted', 'cloud')).toEqual({ won: false });
      expect(await store.get(taskId)).toEqual(expected);
    });

    it('does not settle a task that somebody holds', async () => {
      const { taskId } = await claimed();
      expect(await store.settle(taskId, 'quarantined', 'cloud')).toEqual({ won: false });
      expect((await store.get(taskId))?.state).toBe('drafting');
    });

    it('answers a claim with the item as it stands', async () => {
      const task = await seeded({ epoch: 4, heartbeat: 7, version: 9, effects: 2 });
      const answer = await store.claim(aClaim(task.taskId));
      const expected = decideClaim(task, aClaim(task.taskId));
      expect(answer).toEqual(expected);
      expect(await store.get(task.taskId)).toEqual(expected.won ? expected.task : undefined);
    });

    it('lets the same attempt claim again after a crash, with a new epoch', async () => {
      const { taskId, epoch } = await claimed();
      const again = await store.claim(aClaim(taskId));
      expect(again).toMatchObject({ won: true, task: { epoch: epoch + 1, owner: 'cloud' } });
      expect(await store.claim(aClaim(taskId, { attemptId: 'attempt-2' }))).toEqual({ won: false });
    });

    it('claims nothing when no state to start from is named, except again', async () => {
      const { taskId } = await seeded();
      expect(await store.claim(aClaim(taskId, { from: [] }))).toEqual({ won: false });
      expect(await store.claim(aClaim(taskId, { to: 'executing' }))).toEqual({ won: false });
      await store.claim(aClaim(taskId));
      expect(await store.claim(aClaim(taskId, { from: [] }))).toMatchObject({ won: true });
    });

    it('refuses a holder whose epoch has passed', async () => {
      const { taskId, epoch } = await claimed();
      const handed = await store.transfer({
        taskId,
        owner: 'cloud',
        epoch,
        newOwner: 'laptop',
        attemptId: 'attempt-2',
        zone: 'local',
      });
      expect(handed).toMatchObject({ won: true, task: { owner: 'laptop', epoch: epoch + 1 } });
      for (const late of [
        store.renew({ taskId, owner: 'cloud', epoch }),
        store.release({ taskId, owner: 'cloud', epoch, to: 'pending_approval', home: 'local' }),
        store.renew({ taskId, owner: 'laptop', epoch }),
      ]) {
        expect(await late).toEqual({ won: false });
      }
    });

    it('takes over only what did not move since it was seen', async () => {
      const { taskId, epoch, heartbeat } = await claimed();
      const takeover = { taskId, owner: 'laptop', attemptId: 'reaper', zone: 'local' as const };
      const seen = { owner: 'cloud', epoch, heartbeat };
      await store.renew({ taskId, owner: 'cloud', epoch });
      expect(await store.takeover({ ...takeover, seen })).toEqual({ won: false });
      const now = { ...seen, heartbeat: heartbeat + 1 };
      expect(await store.takeover({ ...takeover, seen: now })).toMatchObject({
        won: true,
        task: { owner: 'laptop', epoch: epoch + 1, state: 'drafting' },
      });
      expect(await store.takeover({ ...takeover, owner: 'desktop', seen: now })).toEqual({ won: false });
    });

    it('lets the cloud take nothing that is at home on a machine of the owner', async () => {
      const { taskId } = await seeded({ home: 'local' });
      expect(await store.claim(aClaim(taskId))).toEqual({ won: false });
      const mine = await store.claim(aClaim(taskId, { owner: 'laptop', zone: 'local' }));
      if (!mine.won) throw new Error('a task at home here could not be claimed');
      const { epoch, heartbeat } = mine.task;
      const seen = { owner: 'laptop', epoch, heartbeat };
      expect(await store.takeover({ taskId, owner: 'cloud', attemptId: 'x', zone: 'cloud', seen })).toEqual({
        won: false,
      });
    });

    it('lets a machine take from the cloud only where all share the store', async () => {
      const { taskId } = await seeded({ home: 'cloud' });
      const claim = aClaim(taskId, { owner: 'laptop', zone: 'local' });
      expect(await store.claim({ ...claim, offline: true })).toEqual({ won: false });
      expect(await store.claim(claim)).toMatchObject({ won: true, task: { owner: 'laptop', home: 'local' } });
    });

    it.each(['done', 'ignored', 'rejected', 'pending_approval'] as const)(
      'lets nobody claim, hand over or take over what is %s',
      async (state) => {
        const { taskId } = await seeded({ state });
        expect(await store.claim(aClaim(taskId, { from: [...TASK_STATES] }))).toEqual({ won: false });
        const held = await seeded({ state, owner: 'laptop', attemptId: 'a', epoch: 3, heartbeat: 4 });
        const to = { taskId: held.taskId, attemptId: 'b', zone: 'local' as const };
        expect(await store.transfer({ ...to, owner: 'laptop', epoch: 3, newOwner: 'desktop' })).toEqual({
          won: false,
        });
        const seen = { owner: 'laptop', epoch: 3, heartbeat: 4 };
        expect(await store.takeover({ ...to, owner: 'desktop', seen })).toEqual({ won: false });
      },
    );

    it('lifts an epoch that fell behind its ledger, and only for the holder', async () => {
      const { taskId, epoch } = await claimed();
      const lift = {
        taskId,
        epoch,
        newOwner: 'cloud',
        attemptId: 'attempt-1',
        zone: 'cloud' as const,
        above: 41,
      };
      expect(await store.transfer({ ...lift, owner: 'laptop' })).toEqual({ won: false });
      expect(await store.transfer({ ...lift, owner: 'cloud' })).toMatchObject({
        won: true,
        task: { epoch: 42 },
      });
      expect(await store.renew({ taskId, owner: 'cloud', epoch })).toEqual({ won: false });
    });

    it('marks a claim that does not move, and no other', async () => {
      const { taskId, epoch, heartbeat } = await claimed();
      const seen = { owner: 'cloud', epoch, heartbeat };
      const at = '2026-11-21T08:00:00.000Z';
      const marked = { suspectHeartbeat: heartbeat, suspectAt: at, heartbeat };
      expect(await store.suspect({ taskId, seen, at })).toMatchObject({ won: true, task: marked });
      await store.renew({ taskId, owner: 'cloud', epoch });
      expect(await store.suspect({ taskId, seen, at })).toEqual({ won: false });
    });

    it('mends an item that is still the one that was looked at, and makes one that is missing', async () => {
      const { taskId, version } = await claimed();
      const mend = { taskId, state: 'approved' as const, home: 'local' as const, epoch: 7 };
      expect(await store.mend({ ...mend, seenVersion: version - 1 })).toEqual({ won: false });
      expect(await store.mend({ ...mend, seenVersion: undefined })).toEqual({ won: false });
      const mended = await store.mend({ ...mend, seenVersion: version });
      expect(mended).toMatchObject({ won: true, task: { state: 'approved', home: 'local', epoch: 7 } });
      expect(mended.won && mended.task.owner).toBeUndefined();
      const again = await store.get(taskId);
      const holder = { owner: 'desktop', leaseMs: 9 };
      const given = await store.mend({ ...mend, seenVersion: again?.version, epoch: 8, holder });
      expect(given).toMatchObject({ won: true, task: { owner: 'desktop', leaseMs: 9, epoch: 8 } });
      expect(await store.get(taskId)).toEqual(given.won && given.task);
      const missing = aTask().taskId;
      expect(await store.mend({ ...mend, taskId: missing, seenVersion: version })).toEqual({ won: false });
      const made = await store.mend({ ...mend, taskId: missing, seenVersion: undefined });
      expect(made.won && made.task).toEqual(aTask({ ...mend, taskId: missing }));
    });

    it('counts effects over all claims', async () => {
      const { taskId, epoch } = await claimed();
      const down = { taskId, owner: 'cloud', epoch, home: 'cloud' as const };
      const released = await store.release({ ...down, to: 'needs_action', effects: 2 });
      expect(released).toMatchObject({
        won: true,
        task: { effects: 2, state: 'needs_action', home: 'cloud' },
      });
      expect(released.won && released.task.owner).toBeUndefined();
      const next = await store.claim(aClaim(taskId));
      if (!next.won) throw new Error('a released task could not be claimed');
      await store.release({ ...down, epoch: next.task.epoch, to: 'needs_action' });
      expect((await store.get(taskId))?.effects).toBe(2);
    });

    it(`lets exactly one of ${size.racers} racers win`, async () => {
      const { taskId } = await seeded();
      const racers = Array.from({ length: size.racers }, (_, index) =>
        store.claim(aClaim(taskId, { owner: `agent-${index}`, attemptId: `attempt-${index}` })),
      );
      const winners = (await Promise.all(racers)).filter((answer) => answer.won);
      expect(winners).toHaveLength(1);
      const [winner] = winners;
      expect(await store.get(taskId)).toEqual(winner?.won ? winner.task : undefined);
      expect(winner?.won && winner.task.epoch).toBe(1);
    });

    it('lets exactly one of two reapers and a late holder go on', async () => {
      for (let round = 0; round < 10; round++) {
        const { taskId, epoch, heartbeat } = await claimed();
        const seen = { owner: 'cloud', epoch, heartbeat };
        const answers = await Promise.all([
          store.takeover({ taskId, owner: 'laptop', attemptId: 'a', zone: 'local', seen }),
          store.takeover({ taskId, owner: 'desktop', attemptId: 'b', zone: 'local', seen }),
          store.release({ taskId, owner: 'cloud', epoch, to: 'pending_approval', home: 'local' }),
        ]);
        expect(answers.filter((answer) => answer.won)).toHaveLength(1);
      }
    });

    it('accepts one of a transfer, a renewal and a release that meet', async () => {
      for (let round = 0; round < 10; round++) {
        const { taskId, epoch } = await claimed();
        const proof = { taskId, owner: 'cloud', epoch };
        const [renewed, handed, released] = await Promise.all([
          store.renew(proof),
          store.transfer({ ...proof, newOwner: 'laptop', attemptId: 'a', zone: 'local' }),
          store.release({ ...proof, to: 'pending_approval', home: 'local' }),
        ]);
        expect([handed.won, released.won].filter(Boolean)).toHaveLength(1);
        const end = await store.get(taskId);
        expect(end).toMatchObject(handed.won ? { owner: 'laptop', epoch: epoch + 1 } : { epoch });
        if (released.won) expect(end?.owner).toBeUndefined();
        // A renewal is one only of a claim that was still there.
        if (renewed.won) expect(renewed.task).toMatchObject({ owner: 'cloud', epoch });
        expect(await store.renew(proof)).toEqual({ won: false });
      }
    });

    it('answers every history as the pure rules do', { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(operation(), { minLength: 1, maxLength: 12 }),
          seedTask(),
          async (steps, start) => {
            let model: Task | undefined = start && aTask(start);
            const { taskId } = model ?? aTask();
            if (model) await harness.extra.put(model);
            for (const step of steps) {
              const expected = step.rule(model, taskId);
              expect(await step.run(store, taskId, model)).toEqual(expected);
              if (expected.won) model = expected.task;
            }
            expect(await store.get(taskId)).toEqual(model);
          },
        ),
        { numRuns: size.histories },
      );
    });
  });
}

/** One step of a history: what to ask the store, and what the rules say to it. */
interface Step {
  run(store: TaskStore, taskId: string, model: Task | undefined): Promise<ClaimAnswer>;
  rule(task: Task | undefined, taskId: string): ClaimAnswer;
  toString(): string;
}

function seedTask(): fc.Arbitrary<Partial<Task> | undefined> {
  const counters = {
    epoch: fc.constantFrom(...EPOCHS),
    heartbeat: fc.nat(3),
    version: fc.integer({ min: 1, max: 9 }),
  };
  const free = fc.record({ state: state(), home: zone(), ...counters });
  const held = fc.record({
    state: state(),
    home: zone(),
    owner: owner(),
    attemptId: attempt(),
    suspectHeartbeat: fc.nat(3),
    suspectAt: fc.constant('2026-11-21T08:00:00.000Z'),
    ...counters,
  });
  return fc.option(fc.oneof(free, held), { nil: undefined, freq: 8 });
}

function operation(): fc.Arbitrary<Step> {
  const proof = { owner: owner(), epoch: fc.constantFrom(...EPOCHS) };
  return fc.oneof(
    { weight: 3, arbitrary: claims() },
    {
      weight: 2,
      arbitrary: fc
        .record(proof)
        .map((request) => step('renew', request, decideRenew, (store, full) => store.renew(full))),
    },
    {
      weight: 3,
      arbitrary: fc
        .record({ ...proof, to: state(), home: zone(), effects: fc.nat(2) })
        .map((request) => step('release', request, decideRelease, (store, full) => store.release(full))),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({
          ...proof,
          newOwner: owner(),
          attemptId: attempt(),
          zone: zone(),
          above: fc.constantFrom(0, 7),
        })
        .map((request) => step('transfer', request, decideTransfer, (store, full) => store.transfer(full))),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({
          owner: owner(),
          attemptId: attempt(),
          zone: zone(),
          seen: fc.record({ ...proof, heartbeat: fc.nat(4) }),
        })
        .map((request) => step('takeover', request, decideTakeover, (store, full) => store.takeover(full))),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({
          seen: fc.record({ ...proof, heartbeat: fc.nat(4) }),
          at: fc.constant('2026-11-21T08:00:00.000Z'),
        })
        .map((request) => step('suspect', request, decideSuspect, (store, full) => store.suspect(full))),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({
          ...{ late: fc.boolean(), state: state(), home: zone(), epoch: fc.constantFrom(...EPOCHS) },
          holder: fc.option(fc.record({ owner: owner(), leaseMs: fc.nat(9) }), { nil: undefined }),
        })
        .map(({ late, ...request }): Step => {
          const full = (task: Task | undefined, taskId: string): MendRequest => ({
            ...request,
            taskId,
            seenVersion: late ? 99 : task?.version,
          });
          return {
            run: (store, taskId, model) => store.mend(full(model, taskId)),
            rule: (task, taskId) => decideMend(task, full(task, taskId)),
            toString: () => `mend ${JSON.stringify({ late, ...request })}`,
          };
        }),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ event: fc.constantFrom(...TaskEvent.options), home: zone() })
        .map(({ event, home }) => ({
          run: (store: TaskStore, taskId: string) => store.settle(taskId, event, home),
          rule: (task: Task | undefined) => decideSettle(task, event, home),
          toString: () => `settle ${event} ${home}`,
        })),
    },
  );
}

function claims(): fc.Arbitrary<Step> {
  return fc
    .record({
      owner: owner(),
      attemptId: attempt(),
      zone: zone(),
      from: fc.subarray([...TASK_STATES]),
      to: fc.constantFrom('drafting' as const, 'executing' as const),
      leaseMs: fc.constantFrom(0, 60_000),
      offline: fc.boolean(),
    })
    .map((request) => step('claim', request, decideClaim, (store, full) => store.claim(full)));
}

type Rule<Request> = (task: Task | undefined, request: Request & { readonly taskId: string }) => ClaimAnswer;
type Run<Request> = (
  store: TaskStore,
  request: Request & { readonly taskId: string },
) => Promise<ClaimAnswer>;

function step<Request extends object>(
  name: string,
  request: Request,
  rule: Rule<Request>,
  run: Run<Request>,
): Step {
  return {
    run: (store, taskId) => run(store, { ...request, taskId }),
    rule: (task, taskId) => rule(task, { ...request, taskId }),
    toString: () => `${name} ${JSON.stringify(request)}`,
  };
}

function owner(): fc.Arbitrary<string> {
  return fc.constantFrom(...OWNERS);
}

function attempt(): fc.Arbitrary<string> {
  return fc.constantFrom('a', 'b');
}

function zone(): fc.Arbitrary<'cloud' | 'local'> {
  return fc.constantFrom('cloud', 'local');
}

function state(): fc.Arbitrary<TaskState> {
  return fc.constantFrom('needs_action', 'drafting', 'approved', 'executing', 'received', 'done');
}
