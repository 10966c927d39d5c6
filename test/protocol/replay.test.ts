import { describe, expect, it } from 'vitest';
import { newSigningKey } from '#protocol/signing.ts';
import { notePath, vaultTree } from '#protocol/vault-state.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { draftedNote, OTHER_TASK, SHA, sampleMail, TASK } from './samples.ts';
import {
  advance,
  approvalEntry,
  change,
  DIGEST,
  drafted,
  intentEntry,
  NOTE,
  refusalOf,
  resultEntry,
  statementOf,
} from './scene.ts';

const OTHER_NOTE = draftedNote('Something else.');
const CHANGED = { ...NOTE, content: OTHER_NOTE.content };

function at(state: Parameters<typeof advance>[1] | 'created' | 'drafting' | 'empty'): LedgerFactory {
  const factory = createLedgerFactory();
  if (state === 'created' || state === 'drafting') {
    factory.append(change('created', { note: NOTE, mail: sampleMail() }), factory.cloud);
    if (state === 'drafting')
      factory.append(change('draft_started', { epoch: 1, owner: 'cloud' }), factory.cloud);
  } else if (state !== 'empty') {
    advance(factory, state);
  }
  return factory;
}

describe('the way of one mail', () => {
  it('leads the note through the folders, and nothing is refused', () => {
    const factory = createLedgerFactory();
    const paths: (string | undefined)[] = [];
    const look = (): void => {
      const task = factory.replay().tasks.get(TASK);
      paths.push(task && notePath(task));
    };
    factory.append(change('created', { note: NOTE, mail: sampleMail() }), factory.cloud);
    look();
    factory.append(change('draft_started', { epoch: 1, owner: 'cloud' }), factory.cloud);
    look();
    factory.append(change('drafted', { epoch: 1, owner: 'cloud', note: CHANGED }), factory.cloud);
    look();
    factory.append(change('edited', { epoch: 1, note: NOTE }));
    factory.append(approvalEntry(factory));
    look();
    const { n } = factory.append(intentEntry());
    look();
    factory.append(resultEntry(n));
    look();
    const folders = paths.map((path) => path?.replace(`/${NOTE.name}`, ''));
    expect(folders).toEqual([
      'Needs_Action',
      'In_Progress/cloud',
      'Pending_Approval',
      'Approved',
      'In_Progress/laptop',
      'Done',
    ]);
    const state = factory.replay();
    expect(state.refusals).toEqual([]);
    expect([...vaultTree(state)]).toEqual([[`Done/${NOTE.name}`, NOTE.content]]);
    expect(state.tasks.get(TASK)).toMatchObject({
      epoch: 2,
      home: 'local',
      result: { outcome: 'succeeded', providerId: 'ses-1' },
    });
    expect(state.nonces).toEqual(new Map([['nonce-0123456789abcdef', 'consumed']]));
  });

  it('is the same for a reader in the cloud', () => {
    const factory = at('done');
    expect(factory.replay(factory.cloud)).toEqual(factory.replay());
  });

  it.each([
    ['failed', 'failed'],
    ['indeterminate', 'indeterminate'],
    ['succeeded', 'done'],
  ] as const)('ends by a result that %s', (outcome, state) => {
    const factory = at('executing');
    factory.append(resultEntry(factory.head.n, { outcome, detail: 'why' }));
    expect(factory.replay().tasks.get(TASK)).toMatchObject({ state, reason: 'why', result: { outcome } });
    expect(factory.replay().tasks.get(TASK)).not.toHaveProperty('owner');
  });

  it.each(['failed', 'indeterminate'] as const)(
    'may be approved again once it %s, by a new approval with a new nonce',
    (outcome) => {
      const factory = at('executing');
      factory.append(resultEntry(factory.head.n, { outcome }));
      expect(refusalOf(factory, approvalEntry(factory, { statement: { epoch: 2 } }))).toMatchObject({
        code: 'nonce-used',
      });
      const nonce = 'nonce-the-second-one';
      expect(refusalOf(factory, approvalEntry(factory, { statement: { epoch: 2, nonce } }))).toBeUndefined();
      expect(refusalOf(factory, intentEntry(3))).toMatchObject({ code: 'approval-mismatch' });
      expect(refusalOf(factory, intentEntry(3, { nonce }))).toBeUndefined();
    },
  );

  it('records deliveries', () => {
    const factory = at('done');
    const body = {
      kind: 'delivery',
      event: 'bounced',
      providerId: 'ses-1',
      happenedAt: '2026-11-21T09:00:00.000Z',
    } as const;
    factory.append({ taskId: TASK, body }, factory.cloud);
    expect(factory.replay().tasks.get(TASK)?.deliveries).toEqual([
      { n: 8, event: 'bounced', at: body.happenedAt },
    ]);
  });
});

describe('the cloud zone', () => {
  it.each([
    ['an approval, however well signed', 'pending_approval', approvalEntry, 'forged-approval'],
    ['the event approved', 'pending_approval', () => change('approved', { epoch: 1 }), 'forged-approval'],
    ['an intent', 'approved', () => intentEntry(), 'zone'],
    ['the event execute_started', 'approved', () => change('execute_started', { epoch: 2 }), 'zone'],
    ['a result', 'executing', () => resultEntry(6), 'zone'],
    ['the event succeeded', 'executing', () => change('succeeded', { epoch: 2 }), 'zone'],
    ['the event unknown_outcome', 'executing', () => change('unknown_outcome', { epoch: 2 }), 'zone'],
    ['that an execution failed', 'executing', () => change('failed', { epoch: 2 }), 'zone'],
    ['an edit', 'pending_approval', () => change('edited', { epoch: 1, note: CHANGED }), 'zone'],
    ['a rejection', 'pending_approval', () => change('rejected', { epoch: 1 }), 'zone'],
    ['that an approval is void', 'approved', () => change('voided', { epoch: 1 }), 'zone'],
    ['a wish for another draft', 'pending_approval', () => change('redraft', { epoch: 1 }), 'zone'],
    ['new keys', 'created', (factory: LedgerFactory) => ({ body: factory.keys }), 'zone'],
    [
      'an override',
      'created',
      () => ({ body: { kind: 'override', what: 'x', reason: 'y' } as const }),
      'zone',
    ],
    [
      'a checkpoint',
      'created',
      () => ({ body: { kind: 'checkpoint', upTo: 1, stateDigest: SHA } as const }),
      'zone',
    ],
    [
      'a claim on an approved task',
      'approved',
      () => ({ taskId: TASK, epoch: 9, body: { kind: 'claim', event: 'claimed', owner: 'cloud' } as const }),
      'zone',
    ],
    [
      'a claim on a task that is executed',
      'executing',
      () => ({ taskId: TASK, epoch: 9, body: { kind: 'claim', event: 'released' } as const }),
      'zone',
    ],
  ] as const)('cannot write %s: an incident, without effect', (_name, state, draft, code) => {
    const factory = at(state);
    expect(refusalOf(factory, draft(factory), factory.cloud)).toMatchObject({
      severity: 'incident',
      code,
      writer: 'cloud',
    });
  });

  it.each(['approved', 'executing', 'done', 'pending_approval'] as const)(
    'cannot put another draft into a task that is %s',
    (state) => {
      for (const event of [
        'drafted',
        'draft_started',
        'draft_abandoned',
        'quarantined',
        'created',
        'failed',
      ] as const) {
        const factory = at(state);
        const draft = change(event, {
          epoch: 9,
          owner: 'cloud',
          note: CHANGED,
          mail: sampleMail({ subject: 'evil' }),
        });
        expect(refusalOf(factory, draft, factory.cloud), event).toBeDefined();
      }
    },
  );

  it('cannot approve with a key of its own, even through a writer of the local zone', () => {
    const factory = at('pending_approval');
    const forged = approvalEntry(factory, { key: factory.cloud.signingKey });
    expect(refusalOf(factory, forged)).toMatchObject({ severity: 'incident', code: 'forged-approval' });
    const named = approvalEntry(factory, { key: factory.cloud.signingKey, statement: { approver: 'cloud' } });
    expect(refusalOf(factory, named)).toMatchObject({ severity: 'incident', code: 'forged-approval' });
  });

  it('may triage, draft, give up and quarantine', () => {
    const factory = createLedgerFactory();
    const { cloud } = factory;
    for (const draft of [
      change('created', { note: NOTE }),
      change('draft_started', { epoch: 1, owner: 'cloud' }),
      change('draft_abandoned', { epoch: 1 }),
      change('draft_started', { epoch: 2, owner: 'cloud' }),
      change('failed', { epoch: 2, reason: 'no words' }),
      change('created', { taskId: OTHER_TASK, state: 'ignored', reason: 'a newsletter' }),
    ]) {
      expect(refusalOf(factory, draft, cloud)).toBeUndefined();
    }
    const { tasks } = factory.replay();
    expect(tasks.get(TASK)).toMatchObject({ state: 'failed', reason: 'no words' });
    expect(tasks.get(OTHER_TASK)).toMatchObject({ state: 'ignored', reason: 'a newsletter' });
  });
});

describe('an approval', () => {
  it('is refused when it was copied to another task', () => {
    const factory = at('pending_approval');
    drafted(factory, OTHER_TASK, draftedNote('Dear Alice,\n\nyes.', 'other.md'));
    const copied = approvalEntry(factory, { taskId: OTHER_TASK, note: { ...NOTE, name: 'other.md' } });
    expect(refusalOf(factory, copied)).toMatchObject({
      severity: 'incident',
      code: 'approval-mismatch',
      taskId: OTHER_TASK,
    });
  });

  it.each([
    ['by a key that is no approver', { key: newSigningKey() }, 'incident', 'forged-approval'],
    ['by an approver nobody knows', { statement: { approver: 'eve' } }, 'incident', 'forged-approval'],
    ['of another vault', { statement: { vaultId: 'vault-2' } }, 'incident', 'approval-mismatch'],
    ['of another note', { note: CHANGED }, 'incident', 'approval-mismatch'],
    ['of an older draft', { statement: { epoch: 0 } }, 'late', 'stale-epoch'],
    ['of a draft to come', { statement: { epoch: 2 } }, 'late', 'stale-epoch'],
    ['that had expired', { statement: { expires: '2026-11-21T08:00:01.000Z' } }, 'late', 'approval-mismatch'],
    [
      'of a task that nobody knows',
      { taskId: OTHER_TASK, statement: { taskId: OTHER_TASK } },
      'incident',
      'unknown-task',
    ],
    ['under another name of the note', { note: { ...NOTE, name: 'x.md' } }, 'incident', 'zone'],
  ] as const)('%s is refused', (_name, parts, severity, code) => {
    const factory = at('pending_approval');
    expect(refusalOf(factory, approvalEntry(factory, parts))).toMatchObject({ severity, code });
  });

  it('is refused once any field of its statement is another than was signed', () => {
    const statement = statementOf(createLedgerFactory());
    for (const [field, value] of Object.entries(statement)) {
      if (field === 'purpose') continue;
      const factory = at('pending_approval');
      const honest = approvalEntry(factory).body;
      if (honest.kind !== 'approval') throw new Error('no approval');
      const other = altered(field, value);
      const approval = { ...honest.approval, statement: { ...honest.approval.statement, [field]: other } };
      expect(refusalOf(factory, { taskId: TASK, body: { ...honest, approval } }), field).toMatchObject({
        code: 'forged-approval',
      });
    }
  });

  it('is refused when it says another method than was signed', () => {
    const factory = at('pending_approval');
    const honest = approvalEntry(factory).body;
    if (honest.kind !== 'approval') throw new Error('no approval');
    const body = { ...honest, approval: { ...honest.approval, method: 'move' as const } };
    expect(refusalOf(factory, { taskId: TASK, body })).toMatchObject({ code: 'forged-approval' });
  });

  it('is refused when it is given a second time, however the task stands', () => {
    const factory = at('approved');
    expect(refusalOf(factory, approvalEntry(factory))).toMatchObject({
      severity: 'incident',
      code: 'nonce-used',
    });
    factory.append(change('voided', { epoch: 1, reason: 'edited' }));
    expect(refusalOf(factory, approvalEntry(factory))).toMatchObject({
      severity: 'incident',
      code: 'nonce-used',
    });
  });

  it.each(['created', 'drafting', 'approved', 'executing', 'done'] as const)(
    'comes too late for a task that is %s',
    (state) => {
      const factory = at(state);
      const epoch = factory.replay().tasks.get(TASK)?.epoch ?? 0;
      const draft = approvalEntry(factory, { statement: { epoch, nonce: 'nonce-of-its-own-0' } });
      expect(refusalOf(factory, draft)).toMatchObject({ severity: 'late', code: 'illegal-transition' });
    },
  );

  it('that was refused leaves its nonce unused', () => {
    const factory = at('drafting');
    expect(refusalOf(factory, approvalEntry(factory))).toMatchObject({ code: 'illegal-transition' });
    factory.append(change('drafted', { epoch: 1, owner: 'cloud', note: NOTE }), factory.cloud);
    expect(refusalOf(factory, approvalEntry(factory))).toBeUndefined();
  });

  it('can be given by no bare event', () => {
    expect(refusalOf(at('pending_approval'), change('approved', { epoch: 1 }))).toMatchObject({
      severity: 'incident',
      code: 'zone',
    });
  });
});

describe('an intent', () => {
  it('without an approval is refused', () => {
    expect(refusalOf(at('pending_approval'), intentEntry())).toMatchObject({
      severity: 'incident',
      code: 'approval-mismatch',
    });
  });

  it.each([
    ['other actions', 2, { actionsDigest: SHA }, 'approval-mismatch'],
    ['another nonce', 2, { nonce: 'nonce-of-another-one' }, 'approval-mismatch'],
    ['the epoch of the draft', 1, {}, 'stale-epoch'],
    ['an old epoch', 0, {}, 'stale-epoch'],
  ] as const)('with %s is refused', (_name, epoch, changes, code) => {
    expect(refusalOf(at('approved'), intentEntry(epoch, changes))).toMatchObject({
      severity: 'incident',
      code,
    });
  });

  it('without an epoch is refused', () => {
    const { epoch: _epoch, ...draft } = intentEntry();
    expect(refusalOf(at('approved'), draft)).toMatchObject({ severity: 'incident', code: 'stale-epoch' });
  });

  it('is accepted once for one approval', () => {
    const factory = at('approved');
    expect(refusalOf(factory, intentEntry(2))).toBeUndefined();
    expect(refusalOf(factory, intentEntry(3))).toMatchObject({ severity: 'incident', code: 'nonce-used' });
    expect(refusalOf(factory, intentEntry(3), factory.other)).toMatchObject({
      severity: 'incident',
      code: 'nonce-used',
    });
    factory.append(resultEntry(6, { outcome: 'failed' }));
    expect(refusalOf(factory, intentEntry(4))).toMatchObject({ severity: 'incident', code: 'nonce-used' });
  });

  it('for an approval that is void is refused', () => {
    const factory = at('approved');
    factory.append(change('voided', { epoch: 1, note: CHANGED, reason: 'edited' }));
    expect(factory.replay().tasks.get(TASK)).toMatchObject({ state: 'pending_approval', voided: 'edited' });
    expect(refusalOf(factory, intentEntry())).toMatchObject({
      severity: 'incident',
      code: 'approval-mismatch',
    });
  });

  it.each([
    ['rejected', 'rejected'],
    ['voided', 'voided'],
  ] as const)('for a task that was %s is refused', (_name, event) => {
    const factory = at('approved');
    factory.append(change(event, { epoch: 1 }));
    expect(refusalOf(factory, intentEntry())).toMatchObject({ severity: 'incident' });
  });

  it.each([
    ['after it expired', { expires: '2026-11-21T08:00:05.000Z' }],
    ['before it is valid', { notBefore: '2026-11-21T08:00:06.000Z' }],
  ])('%s is refused', (_name, statement) => {
    const factory = at('pending_approval');
    expect(refusalOf(factory, approvalEntry(factory, { statement }))).toBeUndefined();
    expect(refusalOf(factory, intentEntry())).toMatchObject({
      severity: 'incident',
      code: 'approval-mismatch',
    });
    factory.clock.advance(1000);
  });

  it('counts the last moment of an approval as too late and the first as in time', () => {
    const factory = at('pending_approval');
    const now = factory.clock.now();
    const soon = new Date(Date.parse(now) + 1000).toISOString();
    expect(
      refusalOf(
        factory,
        approvalEntry(factory, { statement: { notBefore: soon, expires: '2026-11-21T09:00:00.000Z' } }),
      ),
    ).toBeUndefined();
    expect(refusalOf(factory, intentEntry())).toBeUndefined();
    const late = at('pending_approval');
    expect(refusalOf(late, approvalEntry(late, { statement: { expires: soon } }))).toBeUndefined();
    expect(refusalOf(late, intentEntry())).toMatchObject({ code: 'approval-mismatch' });
  });

  it('of a task that nobody knows is refused', () => {
    expect(refusalOf(at('approved'), intentEntry(2, {}, OTHER_TASK))).toMatchObject({
      severity: 'incident',
      code: 'unknown-task',
    });
    const { taskId: _taskId, ...draft } = intentEntry();
    expect(refusalOf(at('approved'), draft)).toMatchObject({ severity: 'incident', code: 'unknown-task' });
  });
});

describe('a result', () => {
  it.each(['pending_approval', 'approved'] as const)(
    'without an intent is refused while a task is %s',
    (state) => {
      const factory = at(state);
      for (const n of [1, factory.head.n, factory.head.n + 1]) {
        expect(refusalOf(factory, resultEntry(n))).toMatchObject({
          severity: 'incident',
          code: 'approval-mismatch',
        });
      }
    },
  );

  it('of another intent, or with an old epoch, is refused', () => {
    const factory = at('executing');
    expect(refusalOf(factory, resultEntry(5))).toMatchObject({
      severity: 'incident',
      code: 'approval-mismatch',
    });
    expect(refusalOf(factory, resultEntry(6, {}, 1))).toMatchObject({
      severity: 'incident',
      code: 'stale-epoch',
    });
  });

  it('is accepted once', () => {
    const factory = at('done');
    expect(refusalOf(factory, resultEntry(6, { outcome: 'failed' }))).toMatchObject({
      severity: 'late',
      code: 'illegal-transition',
    });
  });

  it.each(['execute_started', 'succeeded', 'unknown_outcome', 'failed'] as const)(
    'can be replaced by no bare event %s',
    (event) => {
      const factory = at(event === 'execute_started' ? 'approved' : 'executing');
      expect(refusalOf(factory, change(event, { epoch: 5 }))).toMatchObject({
        severity: 'incident',
        code: 'zone',
      });
    },
  );

  it('of an approval that was replaced is refused: its intent is not that of the task any more', () => {
    const factory = at('executing');
    factory.append(resultEntry(6, { outcome: 'failed' }));
    factory.append(approvalEntry(factory, { statement: { epoch: 2, nonce: 'nonce-the-second-one' } }));
    expect(refusalOf(factory, resultEntry(6))).toMatchObject({
      severity: 'incident',
      code: 'approval-mismatch',
    });
  });
});

describe('a task', () => {
  it('that is created twice exists once; the second says nothing', () => {
    const factory = at('pending_approval');
    const again = change('created', {
      note: CHANGED,
      mail: sampleMail({ subject: 'other' }),
      state: 'ignored',
    });
    expect(refusalOf(factory, again, factory.cloud)).toMatchObject({
      severity: 'late',
      code: 'duplicate',
      taskId: TASK,
    });
  });

  it('that was never created cannot change', () => {
    const factory = at('pending_approval');
    const draft = change('edited', { taskId: OTHER_TASK, epoch: 1 });
    expect(refusalOf(factory, draft)).toMatchObject({
      severity: 'incident',
      code: 'unknown-task',
      taskId: OTHER_TASK,
    });
  });

  it('refuses changes with an old epoch', () => {
    const factory = at('pending_approval');
    factory.append({ taskId: TASK, epoch: 5, body: { kind: 'claim', event: 'claimed', owner: 'laptop' } });
    expect(factory.replay().tasks.get(TASK)).toMatchObject({ epoch: 5, owner: 'laptop' });
    expect(refusalOf(factory, change('edited', { epoch: 4, note: CHANGED }))).toMatchObject({
      severity: 'incident',
      code: 'stale-epoch',
    });
    const claim = {
      taskId: TASK,
      epoch: 4,
      body: { kind: 'claim', event: 'taken_over', owner: 'desktop' },
    } as const;
    expect(refusalOf(factory, claim)).toMatchObject({ severity: 'incident', code: 'stale-epoch' });
    const { epoch: _epoch, ...without } = claim;
    expect(refusalOf(factory, without)).toMatchObject({ severity: 'incident', code: 'stale-epoch' });
  });

  it('is drafted by whom it is held, and by nobody else', () => {
    const factory = at('drafting');
    for (const owner of ['laptop', undefined]) {
      const draft = change('drafted', { epoch: 1, owner, note: NOTE });
      expect(refusalOf(factory, draft)).toMatchObject({ severity: 'incident', code: 'zone' });
    }
  });

  it('keeps its note under one name for life', () => {
    const factory = at('pending_approval');
    const renamed = change('edited', { epoch: 1, note: { ...NOTE, name: 'renamed.md' } });
    expect(refusalOf(factory, renamed)).toMatchObject({ severity: 'incident', code: 'zone' });
    expect(factory.replay().noteNames.has('renamed.md')).toBe(false);
  });

  it.each([
    ['the same name', NOTE.name],
    ['the same name in capitals', NOTE.name.replace('Lunch', 'LUNCH')],
    ['the same name in capitals throughout', NOTE.name.toUpperCase().replace('.MD', '.md')],
  ])('cannot put its note under %s as that of another', (_name, name) => {
    const factory = at('done');
    const created = change('created', { taskId: OTHER_TASK, note: { ...NOTE, name } });
    expect(refusalOf(factory, created, factory.cloud)).toMatchObject({
      severity: 'incident',
      code: 'zone',
      taskId: OTHER_TASK,
    });
    const bare = change('created', { taskId: OTHER_TASK });
    expect(refusalOf(factory, bare, factory.cloud)).toBeUndefined();
    factory.append(change('draft_started', { taskId: OTHER_TASK, epoch: 1, owner: 'cloud' }), factory.cloud);
    const draft = change('drafted', {
      taskId: OTHER_TASK,
      epoch: 1,
      owner: 'cloud',
      note: { ...NOTE, name },
    });
    expect(refusalOf(factory, draft, factory.cloud)).toMatchObject({ severity: 'incident', code: 'zone' });
  });

  it('that is refused stops none of the others in its entry', () => {
    const factory = at('empty');
    const changes = [
      { taskId: TASK, epoch: 0, event: 'edited' as const },
      { taskId: OTHER_TASK, epoch: 0, event: 'created' as const },
      { taskId: TASK, epoch: 0, event: 'created' as const },
    ];
    factory.append({ body: { kind: 'task', changes } }, factory.cloud);
    const state = factory.replay();
    expect([...state.tasks.keys()]).toEqual([OTHER_TASK, TASK]);
    expect(state.refusals).toMatchObject([{ n: 2, taskId: TASK, writer: 'cloud' }]);
  });

  it('whose approval is void waits, says why, and can be sent back for another draft', () => {
    const factory = at('approved');
    factory.append(change('voided', { epoch: 1, note: CHANGED }));
    expect(factory.replay().tasks.get(TASK)).toMatchObject({
      voided: 'the note changed after it was approved',
      note: CHANGED,
    });
    factory.append(change('redraft', { epoch: 1, reason: 'shorter' }));
    const task = factory.replay().tasks.get(TASK);
    expect(task).toMatchObject({ state: 'needs_action', reason: 'shorter' });
    expect(task).not.toHaveProperty('voided');
    expect(task).not.toHaveProperty('approval');
  });
});

describe('a private entry', () => {
  it('moves the head of a reader in the cloud and says nothing to it', () => {
    const factory = createLedgerFactory();
    const content = { sha256: SHA, sizeBytes: 1, text: 'x' };
    factory.append({
      ring: 'private',
      body: { kind: 'files', changes: [{ op: 'put', path: 'Notes/a.md', content }] },
    });
    const [local, cloud] = [factory.replay(), factory.replay(factory.cloud)];
    expect(cloud.head).toEqual(local.head);
    expect([local.files.size, cloud.files.size]).toEqual([1, 0]);
    expect(cloud.refusals).toEqual([]);
  });
});

function altered(field: string, value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (field === 'taskId') return OTHER_TASK;
  if (field.endsWith('Digest')) return DIGEST === value ? SHA : DIGEST;
  return field === 'expires' || field === 'notBefore' ? '2026-11-22T00:00:00.000Z' : `${String(value)}x`;
}
