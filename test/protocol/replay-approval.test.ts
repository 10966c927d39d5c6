import { describe, expect, it } from 'vitest';
import { newSigningKey } from '#protocol/signing.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import { draftedNote, OTHER_TASK, SHA, TASK } from './samples.ts';
import {
  approvalEntry,
  change,
  CHANGED,
  DIGEST,
  drafted,
  intentEntry,
  NOTE,
  refusalOf,
  resultEntry,
  statementOf,
  vaultAt,
} from './scene.ts';

describe('an approval', () => {
  it('is refused when it was copied to another task', () => {
    const factory = vaultAt('pending_approval');
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
    const factory = vaultAt('pending_approval');
    expect(refusalOf(factory, approvalEntry(factory, parts))).toMatchObject({ severity, code });
  });

  it('is refused once any field of its statement is another than was signed', () => {
    const statement = statementOf(createLedgerFactory());
    for (const [field, value] of Object.entries(statement)) {
      if (field === 'purpose') continue;
      const factory = vaultAt('pending_approval');
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
    const factory = vaultAt('pending_approval');
    const honest = approvalEntry(factory).body;
    if (honest.kind !== 'approval') throw new Error('no approval');
    const body = { ...honest, approval: { ...honest.approval, method: 'move' as const } };
    expect(refusalOf(factory, { taskId: TASK, body })).toMatchObject({ code: 'forged-approval' });
  });

  it('is refused when it is given a second time, however the task stands', () => {
    const factory = vaultAt('approved');
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
      const factory = vaultAt(state);
      const epoch = factory.replay().tasks.get(TASK)?.epoch ?? 0;
      const draft = approvalEntry(factory, { statement: { epoch, nonce: 'nonce-of-its-own-0' } });
      expect(refusalOf(factory, draft)).toMatchObject({ severity: 'late', code: 'illegal-transition' });
    },
  );

  it('that was refused leaves its nonce unused', () => {
    const factory = vaultAt('drafting');
    expect(refusalOf(factory, approvalEntry(factory))).toMatchObject({ code: 'illegal-transition' });
    factory.append(change('drafted', { epoch: 1, owner: 'cloud', note: NOTE }), factory.cloud);
    expect(refusalOf(factory, approvalEntry(factory))).toBeUndefined();
  });

  it('can be given by no bare event', () => {
    expect(refusalOf(vaultAt('pending_approval'), change('approved', { epoch: 1 }))).toMatchObject({
      severity: 'incident',
      code: 'zone',
    });
  });
});

describe('an intent', () => {
  it('without an approval is refused', () => {
    expect(refusalOf(vaultAt('pending_approval'), intentEntry())).toMatchObject({
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
    expect(refusalOf(vaultAt('approved'), intentEntry(epoch, changes))).toMatchObject({
      severity: 'incident',
      code,
    });
  });

  it('without an epoch is refused', () => {
    const { epoch: _epoch, ...draft } = intentEntry();
    expect(refusalOf(vaultAt('approved'), draft)).toMatchObject({
      severity: 'incident',
      code: 'stale-epoch',
    });
  });

  it('is accepted once for one approval', () => {
    const factory = vaultAt('approved');
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
    const factory = vaultAt('approved');
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
    const factory = vaultAt('approved');
    factory.append(change(event, { epoch: 1 }));
    expect(refusalOf(factory, intentEntry())).toMatchObject({ severity: 'incident' });
  });

  it.each([
    ['after it expired', { expires: '2026-11-21T08:00:05.000Z' }],
    ['before it is valid', { notBefore: '2026-11-21T08:00:06.000Z' }],
  ])('%s is refused', (_name, statement) => {
    const factory = vaultAt('pending_approval');
    expect(refusalOf(factory, approvalEntry(factory, { statement }))).toBeUndefined();
    expect(refusalOf(factory, intentEntry())).toMatchObject({
      severity: 'incident',
      code: 'approval-mismatch',
    });
    factory.clock.advance(1000);
  });

  it('counts the last moment of an approval as too late and the first as in time', () => {
    const factory = vaultAt('pending_approval');
    const now = factory.clock.now();
    const soon = new Date(Date.parse(now) + 1000).toISOString();
    expect(
      refusalOf(
        factory,
        approvalEntry(factory, { statement: { notBefore: soon, expires: '2026-11-21T09:00:00.000Z' } }),
      ),
    ).toBeUndefined();
    expect(refusalOf(factory, intentEntry())).toBeUndefined();
    const late = vaultAt('pending_approval');
    expect(refusalOf(late, approvalEntry(late, { statement: { expires: soon } }))).toBeUndefined();
    expect(refusalOf(late, intentEntry())).toMatchObject({ code: 'approval-mismatch' });
  });

  it('of a task that nobody knows is refused', () => {
    expect(refusalOf(vaultAt('approved'), intentEntry(2, {}, OTHER_TASK))).toMatchObject({
      severity: 'incident',
      code: 'unknown-task',
    });
    const { taskId: _taskId, ...draft } = intentEntry();
    expect(refusalOf(vaultAt('approved'), draft)).toMatchObject({
      severity: 'incident',
      code: 'unknown-task',
    });
  });
});

describe('a result', () => {
  it.each(['pending_approval', 'approved'] as const)(
    'without an intent is refused while a task is %s',
    (state) => {
      const factory = vaultAt(state);
      for (const n of [1, factory.head.n, factory.head.n + 1]) {
        expect(refusalOf(factory, resultEntry(n))).toMatchObject({
          severity: 'incident',
          code: 'approval-mismatch',
        });
      }
    },
  );

  it('of another intent, or with an old epoch, is refused', () => {
    const factory = vaultAt('executing');
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
    const factory = vaultAt('done');
    expect(refusalOf(factory, resultEntry(6, { outcome: 'failed' }))).toMatchObject({
      severity: 'late',
      code: 'illegal-transition',
    });
  });

  it.each(['execute_started', 'succeeded', 'unknown_outcome', 'failed'] as const)(
    'can be replaced by no bare event %s',
    (event) => {
      const factory = vaultAt(event === 'execute_started' ? 'approved' : 'executing');
      expect(refusalOf(factory, change(event, { epoch: 5 }))).toMatchObject({
        severity: 'incident',
        code: 'zone',
      });
    },
  );

  it('of an approval that was replaced is refused: its intent is not that of the task any more', () => {
    const factory = vaultAt('executing');
    factory.append(resultEntry(6, { outcome: 'failed' }));
    factory.append(approvalEntry(factory, { statement: { epoch: 2, nonce: 'nonce-the-second-one' } }));
    expect(refusalOf(factory, resultEntry(6))).toMatchObject({
      severity: 'incident',
      code: 'approval-mismatch',
    });
  });
});

function altered(field: string, value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (field === 'taskId') return OTHER_TASK;
  if (field.endsWith('Digest')) return DIGEST === value ? SHA : DIGEST;
  return field === 'expires' || field === 'notBefore' ? '2026-11-22T00:00:00.000Z' : `${String(value)}x`;
}
