import { describe, expect, it } from 'vitest';
import { EntryAuditor } from '#local-agent/verify/entry-auditor.ts';
import { signApproval } from '#protocol/approval.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import { openBody } from '#protocol/ledger-entry.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';

const TASK = `t${'a'.repeat(20)}`;
const OTHER = `t${'b'.repeat(20)}`;
const DIGEST = 'd'.repeat(64);
const NOTE = {
  name: 'note.md',
  content: {
    sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
    sizeBytes: 3,
    text: 'foo',
  },
};

/** A ledger that is written without any rule, and an auditor that reads it as if all had taken effect. */
function createTrail() {
  const factory = createLedgerFactory();
  const auditor = new EntryAuditor();
  const see = (
    body: LedgerBody,
    of: { taskId?: string; epoch?: number } = {},
    writer = factory.local,
  ): number => {
    const entry = factory.append({ body, ...of }, writer);
    const opened = openBody(entry, factory.local.keyring);
    if (!opened) throw new Error('sealed for others');
    auditor.see(entry, opened);
    return entry.n;
  };
  auditor.see(factory.entries[0] ?? never(), factory.keys);
  const approve = (
    of: { nonce?: string; taskId?: string; epoch?: number; key?: typeof factory.approver.key } = {},
  ): number =>
    see(
      {
        kind: 'approval',
        approval: signApproval(
          {
            purpose: 'ai-employee/approval/v1',
            vaultId: factory.vaultId,
            taskId: of.taskId ?? TASK,
            actionsDigest: DIGEST,
            noteDigest: NOTE.content.sha256,
            epoch: 1,
            approver: 'owner',
            nonce: of.nonce ?? 'nonce-of-this-approval',
            notBefore: '2026-11-21T08:00:00.000Z',
            expires: '2026-11-24T08:00:00.000Z',
          },
          'command',
          of.key ?? factory.approver.key,
        ),
        note: NOTE,
      },
      { taskId: TASK, epoch: of.epoch ?? 1 },
    );
  const intend = (
    of: { nonce?: string; digest?: string; key?: string; taskId?: string; epoch?: number } = {},
    writer = factory.local,
  ): number =>
    see(
      {
        kind: 'intent',
        owner: 'laptop',
        nonce: of.nonce ?? 'nonce-of-this-approval',
        actionsDigest: of.digest ?? DIGEST,
        actionIndex: 0,
        tool: 'email/send',
        idempotencyKey: of.key ?? 'key-1',
      },
      { taskId: of.taskId ?? TASK, epoch: of.epoch ?? 2 },
      writer,
    );
  const result = (intentN: number, taskId = TASK): number =>
    see({ kind: 'result', intentN, outcome: 'succeeded' }, { taskId, epoch: 2 });
  const found = (): [number | undefined, string][] => auditor.problems.map(({ n, message }) => [n, message]);
  return { factory, auditor, see, approve, intend, result, found };
}

function never(): never {
  throw new Error('there is no such entry');
}

describe('the auditor, whose rules are not those of replay', () => {
  it('has nothing to say of a zone that renews its own key, and names one that changes another', () => {
    const { auditor, factory, see } = createTrail();
    const renewed = factory.keys.writers.map((row) =>
      row.writer === 'cloud' ? { ...row, publicKey: newSigningKey().publicKey, oldKey: row.publicKey } : row,
    );
    see({ ...factory.keys, writers: renewed }, {}, factory.cloud);
    expect(auditor.problems).toEqual([]);
    const approvers = [{ approver: 'owner', publicKey: factory.cloud.signingKey.publicKey }];
    const n = see({ ...factory.keys, writers: renewed, approvers }, {}, factory.cloud);
    expect(auditor.problems).toMatchObject([{ code: 'order', n }]);
    see(factory.keys, {}, factory.local);
    expect(auditor.problems).toHaveLength(1);
  });

  it('has nothing to say of approval, intent and result in order, and knows the effect', () => {
    const { approve, intend, result, found, auditor } = createTrail();
    approve();
    result(intend());
    expect(found()).toEqual([]);
    expect([...auditor.intents.values()]).toMatchObject([
      { key: 'key-1', taskId: TASK, writer: 'laptop', result: { outcome: 'succeeded' } },
    ]);
  });

  it.each([
    ['without an approval before it', (trail: Trail) => trail.intend()],
    [
      'that is not the one approved',
      (trail: Trail) => {
        trail.approve();
        return trail.intend({ digest: 'e'.repeat(64) });
      },
    ],
    [
      'a second effect upon one approval',
      (trail: Trail) => {
        trail.approve();
        trail.intend();
        return trail.intend({ key: 'key-2', epoch: 3 });
      },
    ],
    [
      'began the effect key-1 again',
      (trail: Trail) => {
        trail.approve();
        trail.intend();
        trail.approve({ nonce: 'another-nonce-of-it', epoch: 2 });
        return trail.intend({ nonce: 'another-nonce-of-it', epoch: 3 });
      },
    ],
    [
      "another task's approval",
      (trail: Trail) => {
        trail.approve();
        return trail.intend({ taskId: OTHER });
      },
    ],
    [
      'an entry of kind intent by cloud',
      (trail: Trail) => {
        trail.approve();
        return trail.intend({}, trail.factory.cloud);
      },
    ],
    ['owner did not sign', (trail: Trail) => trail.approve({ key: trail.factory.cloud.signingKey })],
    ['an approval of another task', (trail: Trail) => trail.approve({ taskId: OTHER })],
    [
      'an approval given before',
      (trail: Trail) => {
        trail.approve();
        return trail.approve();
      },
    ],
    ['a result without an intent', (trail: Trail) => trail.result(1)],
    [
      'a second result of the intent',
      (trail: Trail) => {
        trail.approve();
        const n = trail.intend();
        trail.result(n);
        return trail.result(n);
      },
    ],
    [
      'was written with epoch 1 after epoch 2',
      (trail: Trail) => {
        trail.approve();
        trail.intend();
        return trail.see({ kind: 'claim', event: 'released' }, { taskId: TASK, epoch: 1 });
      },
    ],
  ])('names the entry that is or begins %s', (what, write) => {
    const trail = createTrail();
    const n = write(trail);
    expect(trail.found()).toEqual([[n, expect.stringContaining(what)]]);
  });
});

type Trail = ReturnType<typeof createTrail>;
