import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideClaim,
  decideRelease,
  decideRenew,
  decideTakeover,
  decideTransfer,
  EPOCH_WINDOW,
} from '#protocol/claim.ts';
import type { ClaimAnswer } from '#protocol/claim.ts';
import type { TaskChange } from '#protocol/ledger-body.ts';
import type { EntryDraft, Writer } from '#protocol/ledger-entry.ts';
import type { Task, Zone } from '#protocol/task.ts';
import type { Refusal } from '#protocol/vault-state.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { TASK } from './samples.ts';
import { approvalEntry, change, CHANGED, intentEntry, refusalOf, resultEntry, vaultAt } from './scene.ts';

type Event = 'claimed' | 'released' | 'transferred' | 'taken_over';

function claim(event: Event, epoch: number, owner?: string): EntryDraft {
  return { taskId: TASK, epoch, body: { kind: 'claim', event, ...(owner === undefined ? {} : { owner }) } };
}

/** Appends what has to be accepted. */
function accepted(factory: LedgerFactory, draft: EntryDraft, writer = factory.local): void {
  expect(refusalOf(factory, draft, writer)).toBeUndefined();
}

function task(factory: LedgerFactory): unknown {
  return factory.replay().tasks.get(TASK);
}

const STALE: Partial<Refusal> = { severity: 'incident', code: 'stale-epoch' };
const ZONE: Partial<Refusal> = { severity: 'incident', code: 'zone' };

describe('a claim in the ledger', () => {
  it('by a machine of the owner takes a free task, with an epoch that nobody had', () => {
    const factory = vaultAt('created');
    expect(refusalOf(factory, claim('claimed', 0, 'laptop'))).toMatchObject(STALE);
    accepted(factory, claim('claimed', 1, 'laptop'));
    expect(task(factory)).toMatchObject({ state: 'drafting', owner: 'laptop', home: 'local', epoch: 1 });
  });

  it('of a task that somebody holds comes too late', () => {
    const factory = vaultAt('created');
    accepted(factory, claim('claimed', 1, 'laptop'));
    expect(refusalOf(factory, claim('claimed', 2, 'desktop'), factory.other)).toMatchObject({
      severity: 'late',
    });
    expect(task(factory)).toMatchObject({ owner: 'laptop', epoch: 1 });
  });

  it('is made in nobody else’s name', () => {
    const factory = vaultAt('created');
    expect(refusalOf(factory, claim('claimed', 1, 'desktop'))).toMatchObject(ZONE);
    expect(
      refusalOf(factory, change('draft_started', { epoch: 1, owner: 'laptop' }), factory.cloud),
    ).toMatchObject(ZONE);
    const approved = vaultAt('approved');
    expect(refusalOf(approved, intentEntry(2, { owner: 'desktop' }))).toMatchObject(ZONE);
  });

  it('ends with a release of the holder, and of nobody else', () => {
    const factory = vaultAt('created');
    accepted(factory, claim('claimed', 1, 'laptop'));
    expect(refusalOf(factory, claim('released', 1), factory.other)).toMatchObject(ZONE);
    accepted(factory, claim('released', 1));
    expect(task(factory)).toMatchObject({ state: 'needs_action', epoch: 1, home: 'local' });
    expect(task(factory)).not.toHaveProperty('owner');
  });

  it('is handed over by its holder or accepted by the new one, and by no third', () => {
    for (const by of ['local', 'other'] as const) {
      const factory = vaultAt('created');
      accepted(factory, claim('claimed', 1, 'laptop'));
      expect(refusalOf(factory, claim('transferred', 1, 'desktop'))).toMatchObject(STALE);
      expect(refusalOf(factory, claim('transferred', 2, 'tablet'), factory.other)).toMatchObject(ZONE);
      accepted(factory, claim('transferred', 2, 'desktop'), factory[by]);
      expect(task(factory)).toMatchObject({ state: 'drafting', owner: 'desktop', epoch: 2 });
      expect(refusalOf(factory, claim('released', 1))).toMatchObject(STALE);
    }
  });

  it('of a task that is done is nobody’s any more', () => {
    const factory = vaultAt('done');
    for (const event of ['claimed', 'transferred'] as const) {
      expect(refusalOf(factory, claim(event, 9, 'laptop')), event).toMatchObject({ severity: 'late' });
    }
  });
});

describe('F21 a late completion after a takeover', () => {
  it('by the cloud is refused, whatever it says', () => {
    const factory = vaultAt('drafting');
    accepted(factory, claim('taken_over', 2, 'laptop'));
    expect(task(factory)).toMatchObject({ state: 'drafting', owner: 'laptop', home: 'local', epoch: 2 });
    for (const event of ['drafted', 'draft_abandoned', 'failed', 'quarantined'] as const) {
      for (const epoch of [1, 2, 3]) {
        const late = change(event, { epoch, owner: 'cloud', note: CHANGED });
        expect(refusalOf(factory, late, factory.cloud), `${event} ${epoch}`).toBeDefined();
      }
    }
  });

  it('of a draft that the ledger knew nothing of is fenced by the epoch alone', () => {
    const factory = vaultAt('created');
    accepted(factory, claim('taken_over', 2, 'laptop'));
    expect(task(factory)).toMatchObject({ state: 'needs_action', home: 'cloud', epoch: 2 });
    expect(task(factory)).not.toHaveProperty('owner');
    const late = change('draft_started', { epoch: 1, owner: 'cloud' });
    expect(refusalOf(factory, late, factory.cloud)).toMatchObject(STALE);
    accepted(factory, change('draft_started', { epoch: 3, owner: 'cloud' }), factory.cloud);
  });

  it('by an executor is refused; the one who took over says that nobody knows', () => {
    const factory = vaultAt('approved');
    const { n } = factory.append(intentEntry());
    accepted(factory, claim('taken_over', 3, 'desktop'), factory.other);
    expect(refusalOf(factory, resultEntry(n, {}, 2))).toMatchObject(STALE);
    accepted(factory, resultEntry(n, { outcome: 'indeterminate' }, 3), factory.other);
    expect(refusalOf(factory, resultEntry(n, {}, 3))).toMatchObject({ severity: 'late' });
    expect(task(factory)).toMatchObject({ state: 'indeterminate' });
  });

  it('does not begin an execution: its intent is too old', () => {
    const factory = vaultAt('approved');
    accepted(factory, claim('taken_over', 3, 'desktop'), factory.other);
    expect(refusalOf(factory, intentEntry(2))).toMatchObject(STALE);
    expect(refusalOf(factory, intentEntry(3))).toMatchObject(STALE);
    accepted(factory, intentEntry(4));
  });
});

describe('F23 the home of a task', () => {
  it('keeps the cloud from what its owner has', () => {
    const factory = vaultAt('created');
    accepted(factory, claim('claimed', 1, 'laptop'));
    accepted(factory, claim('released', 1));
    const take = change('draft_started', { epoch: 2, owner: 'cloud' });
    expect(refusalOf(factory, take, factory.cloud)).toMatchObject(ZONE);
    expect(refusalOf(factory, claim('claimed', 2, 'cloud'), factory.cloud)).toMatchObject(ZONE);
  });

  it('keeps the cloud from putting aside what its owner has put down, or raising its epoch', () => {
    const factory = vaultAt('created');
    accepted(factory, claim('claimed', 1, 'laptop'));
    accepted(factory, claim('released', 1));
    for (const epoch of [1, EPOCH_WINDOW]) {
      expect(refusalOf(factory, change('quarantined', { epoch }), factory.cloud)).toMatchObject(ZONE);
    }
    expect(task(factory)).toMatchObject({ state: 'needs_action', home: 'local', epoch: 1 });
  });

  it('goes back to the cloud when a person asks for another draft', () => {
    const factory = vaultAt('pending_approval');
    accepted(factory, change('redraft', { epoch: 1, reason: 'shorter' }));
    accepted(factory, change('draft_started', { epoch: 2, owner: 'cloud' }), factory.cloud);
  });

  it.each(['transferred', 'taken_over'] as const)(
    'is no concern of the cloud: %s is an incident',
    (event) => {
      const factory = vaultAt('drafting');
      expect(refusalOf(factory, claim(event, 2, 'cloud'), factory.cloud)).toMatchObject(ZONE);
    },
  );
});

describe('an epoch far ahead', () => {
  const FAR = 1_000_000_000;

  it('is refused, so that it blocks nobody', () => {
    const factory = vaultAt('created');
    for (const draft of [
      change('draft_started', { epoch: FAR, owner: 'cloud' }),
      change('quarantined', { epoch: EPOCH_WINDOW + 1 }),
      claim('claimed', FAR, 'cloud'),
    ]) {
      expect(refusalOf(factory, draft, factory.cloud)).toMatchObject(STALE);
    }
    accepted(factory, change('draft_started', { epoch: EPOCH_WINDOW, owner: 'cloud' }), factory.cloud);
    expect(
      refusalOf(factory, change('created', { taskId: 'tabcdef01234567890123', epoch: FAR }), factory.cloud),
    ).toMatchObject(STALE);
  });

  it('is refused of an intent and a result as well', () => {
    expect(refusalOf(vaultAt('approved'), intentEntry(FAR))).toMatchObject(STALE);
    const factory = vaultAt('approved');
    const { n } = factory.append(intentEntry());
    expect(refusalOf(factory, resultEntry(n, {}, FAR))).toMatchObject(STALE);
  });

  it('as far as it is accepted keeps no approval from running', () => {
    const factory = vaultAt('created');
    accepted(factory, change('draft_started', { epoch: EPOCH_WINDOW, owner: 'cloud' }), factory.cloud);
    const note = vaultAt('pending_approval').replay().tasks.get(TASK)?.note;
    if (!note) throw new Error('arranged badly');
    accepted(factory, change('drafted', { epoch: 2 * EPOCH_WINDOW, owner: 'cloud', note }), factory.cloud);
    accepted(factory, approvalEntry(factory, { statement: { epoch: 2 * EPOCH_WINDOW } }));
    accepted(factory, intentEntry(2 * EPOCH_WINDOW + 1));
  });
});

describe('an edit while a task is drafted', () => {
  it('is its holder’s alone', () => {
    const factory = vaultAt('created');
    accepted(factory, claim('claimed', 1, 'laptop'));
    const edit = change('edited', { epoch: 1, note: CHANGED });
    expect(refusalOf(factory, edit, factory.other)).toMatchObject(ZONE);
    accepted(factory, edit);
    expect(task(factory)).toMatchObject({ state: 'drafting', owner: 'laptop', note: CHANGED });
    expect(refusalOf(vaultAt('drafting'), edit)).toMatchObject(ZONE);
  });
});

/**
 * Three claimants of one task, over a store and a ledger. Each claims, renews, hands over, takes over and puts
 * down; replies get lost, processes die between the store and the ledger, or stop for as long as they like
 * and then write what they had in mind, without looking again.
 */
describe('any interleaving of claimants that crash, stop and lose replies', () => {
  const NAMES = ['cloud', 'laptop', 'desktop'] as const;
  type Name = (typeof NAMES)[number];
  const who = fc.constantFrom(...NAMES);
  const lost = fc.nat(3).map((n) => n === 0);
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ op: fc.constant('claim' as const), who, lost }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('renew' as const), who, lost }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('takeover' as const), who, lost, age: fc.nat(4) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant('transfer' as const),
        who,
        lost,
        to: fc.constantFrom('laptop' as const, 'desktop' as const),
      }),
    },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('release' as const), who, lost }) },
    /** Writes the entries it has in mind; `blind` without a look at what came since. */
    { weight: 6, arbitrary: fc.record({ op: fc.constant('write' as const), who, blind: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('crash' as const), who }) },
  );

  interface Mind {
    claim?: { epoch: number };
    entries: EntryDraft[];
  }

  it('accepts one owner an epoch, never a lower epoch, and no late writer', () => {
    let [refusals, acceptances] = [0, 0];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50, size: 'max' }), (steps) => {
        const factory = vaultAt('created');
        let item: Task = {
          taskId: TASK,
          state: 'needs_action',
          home: 'cloud',
          epoch: 0,
          heartbeat: 0,
          leaseMs: 1,
          version: 1,
          effects: 0,
        };
        const views: Task[] = [];
        const minds: Record<Name, Mind> = {
          cloud: { entries: [] },
          laptop: { entries: [] },
          desktop: { entries: [] },
        };
        const owners = new Map<number, string>();
        const reader = factory.session(factory.local, factory.store());
        for (const entry of factory.entries) reader.admit(entry);
        const writers: Record<Name, Writer> = {
          cloud: factory.cloud,
          laptop: factory.local,
          desktop: factory.other,
        };
        for (const each of steps) {
          views.unshift(item);
          const mind = minds[each.who];
          if (each.op === 'crash') {
            minds[each.who] = { entries: [] };
            continue;
          }
          if (each.op === 'write') {
            const draft = mind.entries.shift();
            const view = reader.state.tasks.get(TASK);
            if (!draft || !view) continue;
            const before = { epoch: view.epoch, owner: view.owner, refused: reader.state.refusals.length };
            const epoch = epochOf(draft);
            if (!each.blind && epoch < before.epoch) continue;
            reader.admit(factory.append(draft, writers[each.who]));
            const isAccepted = reader.state.refusals.length === before.refused;
            if (isAccepted) acceptances += 1;
            else refusals += 1;
            expect(view.epoch).toBeGreaterThanOrEqual(before.epoch);
            if (epoch < before.epoch) expect(isAccepted).toBe(false);
            if (view.owner !== undefined) {
              // Whoever held this epoch holds it for good.
              expect(owners.get(view.epoch) ?? view.owner).toBe(view.owner);
              owners.set(view.epoch, view.owner);
            }
            if (view.home === 'local' && view.owner !== undefined) expect(view.owner).not.toBe('cloud');
            continue;
          }
          const zone: Zone = each.who === 'cloud' ? 'cloud' : 'local';
          const answer = act(item, each, zone, mind, views);
          if (!answer.won) continue;
          expect(answer.task.epoch).toBeGreaterThanOrEqual(item.epoch);
          item = answer.task;
          // The change stands, and whoever made it never hears of it.
          if (each.lost) continue;
          learn(each.op, each.who, answer.task, mind, minds);
        }
      }),
      { numRuns: 400 },
    );
    // Otherwise the property would speak of nothing.
    expect(acceptances).toBeGreaterThan(150);
    expect(refusals).toBeGreaterThan(30);
  });

  type Step = Exclude<typeof step extends fc.Arbitrary<infer T> ? T : never, { op: 'write' | 'crash' }>;

  function act(item: Task, each: Step, zone: Zone, mind: Mind, views: readonly Task[]): ClaimAnswer {
    const proof = { taskId: TASK, owner: each.who, epoch: mind.claim?.epoch ?? -1 };
    switch (each.op) {
      case 'claim':
        return decideClaim(item, {
          taskId: TASK,
          owner: each.who,
          attemptId: 'a',
          zone,
          from: ['needs_action'],
          to: 'drafting',
          leaseMs: 1,
        });
      case 'renew':
        return decideRenew(item, proof);
      case 'takeover': {
        const { owner = '', epoch, heartbeat } = views[Math.min(each.age, views.length - 1)] ?? item;
        return decideTakeover(item, {
          taskId: TASK,
          owner: each.who,
          attemptId: 'o',
          zone,
          seen: { owner, epoch, heartbeat },
        });
      }
      case 'transfer':
        return decideTransfer(item, { ...proof, newOwner: each.to, attemptId: 't', zone: 'local' });
      case 'release':
        return decideRelease(item, { ...proof, to: 'needs_action', home: zone });
    }
  }

  /** What a claimant knows after an answer, and means to write. */
  function learn(op: Step['op'], name: Name, task: Task, mind: Mind, minds: Record<Name, Mind>): void {
    const { epoch, owner = name } = task;
    const event = (kind: TaskChange['event']): EntryDraft => change(kind, { epoch, owner: name });
    switch (op) {
      case 'claim':
        mind.claim = { epoch };
        mind.entries.push(name === 'cloud' ? event('draft_started') : claim('claimed', epoch, name));
        return;
      case 'renew':
        return;
      case 'takeover':
        mind.claim = { epoch };
        mind.entries.push(name === 'cloud' ? event('draft_started') : claim('taken_over', epoch, name));
        return;
      case 'transfer':
        delete mind.claim;
        mind.entries.push(claim('transferred', epoch, owner));
        minds[owner as Name].claim = { epoch };
        return;
      case 'release':
        delete mind.claim;
        mind.entries.push(name === 'cloud' ? event('draft_abandoned') : claim('released', epoch));
    }
  }

  function epochOf({ epoch, body }: EntryDraft): number {
    return epoch ?? (body.kind === 'task' ? (body.changes[0]?.epoch ?? 0) : 0);
  }
});
