import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Approval, ApprovalStatement, signApproval, verifyApproval } from '#protocol/approval.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { oneChange, SHA, TASK } from './samples.ts';

const key = newSigningKey();
const statement: ApprovalStatement = {
  purpose: 'ai-employee/approval/v1',
  vaultId: 'vault-1',
  taskId: TASK,
  actionsDigest: SHA,
  noteDigest: 'b'.repeat(64),
  epoch: 3,
  approver: 'owner',
  nonce: 'nonce-0123456789abcdef',
  notBefore: '2026-11-21T08:00:00.000Z',
  expires: '2026-11-24T08:00:00.000Z',
};
const approval = signApproval(statement, 'command', key);

describe('an approval', () => {
  it('is verified as it was signed', () => {
    expect(verifyApproval(approval, key.publicKey)).toBe(true);
    expect(verifyApproval(Approval.parse(JSON.parse(JSON.stringify(approval))), key.publicKey)).toBe(true);
  });

  it.each(Object.keys(statement) as (keyof ApprovalStatement)[])(
    'is not verified once %s is another',
    (field) => {
      const value = statement[field];
      const other = typeof value === 'number' ? value + 1 : `${value}0`;
      const altered = { ...statement, [field]: other } as ApprovalStatement;
      expect(verifyApproval({ ...approval, statement: altered }, key.publicKey)).toBe(false);
    },
  );

  it('is not verified after any one change', () => {
    fc.assert(
      fc.property(oneChange(approval), (altered) => {
        // A member beside the three is not signed, and is not let in by the schema.
        if (Approval.safeParse(altered).success || !('extra' in altered)) {
          expect(verifyApproval(altered, key.publicKey)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is not verified when it says another method', () => {
    expect(verifyApproval({ ...approval, method: 'move' }, key.publicKey)).toBe(false);
  });

  it('is not verified with the key of another', () => {
    expect(verifyApproval(approval, newSigningKey().publicKey)).toBe(false);
  });

  it('is not verified, and nothing thrown, when its statement is no text', () => {
    const altered = { ...approval, statement: { ...statement, nonce: '\ud83d'.repeat(20) } };
    expect(verifyApproval(altered, key.publicKey)).toBe(false);
  });

  it.each([
    ['a member nobody knows', { extra: 1 }],
    ['another purpose', { purpose: 'ai-employee/approval/v2' }],
    ['a short nonce', { nonce: 'short' }],
    ['a negative epoch', { epoch: -1 }],
    ['an instant in a local time', { expires: '2026-11-24T08:00:00.000+02:00' }],
    ['an instant that does not compare as text', { expires: '2026-11-24T08:00:00Z' }],
  ])('with %s is no approval', (_name, change) => {
    expect(ApprovalStatement.safeParse({ ...statement, ...change }).success).toBe(false);
  });
});
