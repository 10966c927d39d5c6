import { describe, expect, it } from 'vitest';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import { OTHER_TASK, SHA, sampleMail, TASK } from './samples.ts';
import {
  approvalEntry,
  change,
  CHANGED,
  intentEntry,
  NOTE,
  refusalOf,
  resultEntry,
  vaultAt,
} from './scene.ts';

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
    [
      'an override',
      'created',
      () => ({ body: { kind: 'override', what: { of: 'repair', code: 'x' }, reason: 'y' } as const }),
      'zone',
    ],
    [
      'a checkpoint',
      'created',
      () => ({
        body: {
          kind: 'checkpoint',
          upTo: 1,
          hash: SHA,
          replay: 1,
          shared: { sha256: SHA, sizeBytes: 1, blob: SHA },
          private: { sha256: SHA, sizeBytes: 1, blob: SHA },
        } as const,
      }),
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
    const factory = vaultAt(state);
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
        const factory = vaultAt(state);
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
    const factory = vaultAt('pending_approval');
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
