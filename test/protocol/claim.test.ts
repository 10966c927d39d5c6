import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideClaim, decideRelease, decideRenew, decideTakeover, decideTransfer } from '#protocol/claim.ts';
import type { ClaimAnswer, ClaimRequest } from '#protocol/claim.ts';
import { Task } from '#protocol/task.ts';
import { TASK } from './samples.ts';

const fresh: Task = {
  taskId: TASK,
  state: 'needs_action',
  home: 'cloud',
  epoch: 4,
  heartbeat: 9,
  leaseMs: 0,
  version: 2,
  effects: 1,
};

function claimBy(owner: string, attemptId = `${owner}-1`): ClaimRequest {
  return {
    taskId: TASK,
    owner,
    attemptId,
    zone: 'local',
    from: ['needs_action'],
    to: 'drafting',
    leaseMs: 60_000,
  };
}

function taken(answer: ClaimAnswer): Task {
  if (!answer.won) throw new Error('the claim was lost');
  return answer.task;
}

describe('a claim', () => {
  it('of a free task raises the epoch and says who holds it', () => {
    expect(decideClaim(fresh, claimBy('laptop'))).toEqual({
      won: true,
      task: {
        ...fresh,
        state: 'drafting',
        home: 'local',
        owner: 'laptop',
        attemptId: 'laptop-1',
        leaseMs: 60_000,
        epoch: 5,
        heartbeat: 10,
        version: 3,
      },
    });
  });

  it('of nothing, of a held task and in another state is lost', () => {
    expect(decideClaim(undefined, claimBy('laptop')).won).toBe(false);
    expect(decideClaim({ ...fresh, owner: 'cloud', attemptId: 'cloud-1' }, claimBy('laptop')).won).toBe(
      false,
    );
    expect(decideClaim({ ...fresh, state: 'done' }, claimBy('laptop')).won).toBe(false);
  });

  it('by the same attempt is won again after a crash, with a new epoch', () => {
    const held = taken(decideClaim(fresh, claimBy('laptop')));
    const again = taken(decideClaim(held, claimBy('laptop')));
    expect([again.owner, again.epoch]).toEqual(['laptop', held.epoch + 1]);
  });

  it('by another attempt of the same owner is lost', () => {
    const held = taken(decideClaim(fresh, claimBy('laptop')));
    expect(decideClaim(held, claimBy('laptop', 'laptop-2')).won).toBe(false);
  });

  it("by the same attempt of another owner is lost: an attempt's name proves nothing", () => {
    const held = taken(decideClaim(fresh, claimBy('laptop')));
    expect(decideClaim(held, claimBy('desktop', 'laptop-1')).won).toBe(false);
  });

  it('leaves a suspicion behind: the mark speaks of a heartbeat that has passed', () => {
    const suspected: Task = { ...fresh, suspectHeartbeat: 9, suspectAt: '2026-11-21T08:00:00.000Z' };
    const claimed = taken(decideClaim(suspected, claimBy('laptop')));
    expect(claimed.suspectHeartbeat).not.toBe(claimed.heartbeat);
  });
});

describe('the holder of a claim', () => {
  const held = taken(decideClaim(fresh, claimBy('laptop')));
  const proof = { taskId: TASK, owner: 'laptop', epoch: held.epoch };

  it('renews it without a new epoch', () => {
    const renewed = taken(decideRenew(held, proof));
    expect(renewed).toEqual({ ...held, heartbeat: held.heartbeat + 1, version: held.version + 1 });
  });

  it('puts it down, with the effects it began; its attempt stays to be recognised', () => {
    const { owner: _owner, ...rest } = held;
    expect(decideRelease(held, { ...proof, to: 'done', home: 'cloud', effects: 2 })).toEqual({
      won: true,
      task: { ...rest, state: 'done', home: 'cloud', effects: 3, version: held.version + 1 },
    });
  });

  it('hands it over: the old epoch is void from then on', () => {
    const request = { ...proof, newOwner: 'desktop', attemptId: 'desktop-1', zone: 'local' } as const;
    const passed = taken(decideTransfer(held, request));
    expect([passed.owner, passed.epoch]).toEqual(['desktop', held.epoch + 1]);
    expect(decideRenew(passed, proof).won).toBe(false);
    expect(decideRelease(passed, { ...proof, to: 'done', home: 'local' }).won).toBe(false);
    expect(decideTransfer(passed, request).won).toBe(false);
  });
});

describe('a takeover', () => {
  const held = taken(decideClaim(fresh, claimBy('laptop')));
  const seen = { owner: 'laptop', epoch: held.epoch, heartbeat: held.heartbeat };
  const request = { taskId: TASK, owner: 'desktop', attemptId: 'desktop-1', zone: 'local', seen } as const;

  it('is won when nothing moved', () => {
    const after = taken(decideTakeover(held, request));
    expect([after.owner, after.epoch, after.state]).toEqual(['desktop', held.epoch + 1, 'drafting']);
  });

  it.each([
    ['the heartbeat', { ...held, heartbeat: held.heartbeat + 1 }],
    ['the epoch', { ...held, epoch: held.epoch + 1 }],
    ['the owner', { ...held, owner: 'cloud' }],
    ['the claim, which was put down,', { ...held, owner: undefined }],
    ['the item, which is gone,', undefined],
  ])('is lost when %s is another', (_name, task) => {
    expect(decideTakeover(task, request).won).toBe(false);
  });
});

describe('any sequence of claims, renewals, releases, transfers and takeovers', () => {
  const OWNERS = ['cloud', 'laptop', 'desktop', 'tablet'];
  const who = fc.constantFrom(...OWNERS);
  /** Which of the views that an owner ever had of the item it acts upon: 0 is the latest. */
  const age = fc.nat({ max: 5 });
  const step = fc.oneof(
    fc.record({ op: fc.constant('claim' as const), who, attempt: fc.nat({ max: 2 }) }),
    fc.record({ op: fc.constant('renew' as const), who, age }),
    fc.record({ op: fc.constant('release' as const), who, age }),
    fc.record({ op: fc.constant('transfer' as const), who, age, to: who }),
    fc.record({ op: fc.constant('takeover' as const), who, age }),
  );

  it('has one owner an epoch, an epoch that never falls, and no late winner', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let task: Task = { ...fresh };
        const views: Task[] = [];
        const owners = new Map<number, string>();
        for (const each of steps) {
          views.unshift(task);
          const view = views[Math.min('age' in each ? each.age : 0, views.length - 1)] ?? task;
          const proof = { taskId: TASK, owner: each.who, epoch: view.epoch };
          const before = task;
          const answer = act(before, each, view, proof);

          const mine = before.owner === each.who && proof.epoch === before.epoch;
          const unmoved =
            view.owner !== undefined &&
            view.owner === before.owner &&
            view.epoch === before.epoch &&
            view.heartbeat === before.heartbeat;
          const attemptId = `${each.who}-${'attempt' in each ? each.attempt : ''}`;
          const again = before.owner === each.who && before.attemptId === attemptId;
          const expected =
            each.op === 'claim'
              ? before.owner === undefined || again
              : each.op === 'takeover'
                ? unmoved
                : mine;
          expect(answer.won, each.op).toBe(expected);
          if (!answer.won) continue;

          task = answer.task;
          expect(Task.safeParse(task).success).toBe(true);
          expect(task.version).toBe(before.version + 1);
          const raises = each.op === 'claim' || each.op === 'transfer' || each.op === 'takeover';
          expect(task.epoch).toBe(before.epoch + (raises ? 1 : 0));
          expect(task.heartbeat).toBe(before.heartbeat + (each.op === 'release' ? 0 : 1));
          if (task.owner !== undefined) {
            expect(owners.get(task.epoch) ?? task.owner).toBe(task.owner);
            owners.set(task.epoch, task.owner);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  function act(
    task: Task,
    each: Step,
    view: Task,
    proof: { taskId: string; owner: string; epoch: number },
  ): ClaimAnswer {
    switch (each.op) {
      case 'claim': {
        const from = ['needs_action'] as const;
        return decideClaim(task, { ...claimBy(each.who, `${each.who}-${each.attempt}`), from });
      }
      case 'renew':
        return decideRenew(task, proof);
      case 'release':
        return decideRelease(task, { ...proof, to: 'needs_action', home: 'cloud' });
      case 'transfer':
        return decideTransfer(task, {
          ...proof,
          newOwner: each.to,
          attemptId: `${each.to}-t`,
          zone: 'local',
        });
      case 'takeover': {
        const seen = { owner: view.owner ?? 'nobody', epoch: view.epoch, heartbeat: view.heartbeat };
        return decideTakeover(task, {
          taskId: TASK,
          owner: each.who,
          attemptId: `${each.who}-o`,
          zone: 'local',
          seen,
        });
      }
    }
  }
});
