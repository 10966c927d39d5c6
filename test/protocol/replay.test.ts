import { describe, expect, it } from 'vitest';
import { notePath, vaultTree } from '#protocol/vault-state.ts';
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
    const factory = vaultAt('done');
    expect(factory.replay(factory.cloud)).toEqual(factory.replay());
  });

  it.each([
    ['failed', 'failed'],
    ['indeterminate', 'indeterminate'],
    ['succeeded', 'done'],
  ] as const)('ends by a result that %s', (outcome, state) => {
    const factory = vaultAt('executing');
    factory.append(resultEntry(factory.head.n, { outcome, detail: 'why' }));
    expect(factory.replay().tasks.get(TASK)).toMatchObject({ state, reason: 'why', result: { outcome } });
    expect(factory.replay().tasks.get(TASK)).not.toHaveProperty('owner');
  });

  it.each(['failed', 'indeterminate'] as const)(
    'may be approved again once it %s, by a new approval with a new nonce',
    (outcome) => {
      const factory = vaultAt('executing');
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
    const factory = vaultAt('done');
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

describe('a task', () => {
  it('that is created twice exists once; the second says nothing', () => {
    const factory = vaultAt('pending_approval');
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
    const factory = vaultAt('pending_approval');
    const draft = change('edited', { taskId: OTHER_TASK, epoch: 1 });
    expect(refusalOf(factory, draft)).toMatchObject({
      severity: 'incident',
      code: 'unknown-task',
      taskId: OTHER_TASK,
    });
  });

  it('refuses changes with an old epoch', () => {
    const factory = vaultAt('pending_approval');
    factory.append({ taskId: TASK, epoch: 5, body: { kind: 'claim', event: 'taken_over', owner: 'laptop' } });
    expect(factory.replay().tasks.get(TASK)).toMatchObject({ epoch: 5, state: 'pending_approval' });
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
    const factory = vaultAt('drafting');
    for (const owner of ['laptop', undefined]) {
      const draft = change('drafted', { epoch: 1, owner, note: NOTE });
      expect(refusalOf(factory, draft)).toMatchObject({ severity: 'incident', code: 'zone' });
    }
  });

  it('keeps its note under one name for life', () => {
    const factory = vaultAt('pending_approval');
    const renamed = change('edited', { epoch: 1, note: { ...NOTE, name: 'renamed.md' } });
    expect(refusalOf(factory, renamed)).toMatchObject({ severity: 'incident', code: 'zone' });
    expect(factory.replay().noteNames.has('renamed.md')).toBe(false);
  });

  it.each([
    ['the same name', NOTE.name],
    ['the same name in capitals', NOTE.name.replace('Lunch', 'LUNCH')],
    ['the same name in capitals throughout', NOTE.name.toUpperCase().replace('.MD', '.md')],
  ])('cannot put its note under %s as that of another', (_name, name) => {
    const factory = vaultAt('done');
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
    const factory = vaultAt('empty');
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
    const factory = vaultAt('approved');
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
