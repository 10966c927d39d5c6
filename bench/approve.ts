import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { actionsDigest } from '#protocol/action.ts';
import type { Action } from '#protocol/action.ts';
import { signApproval, verifyApproval } from '#protocol/approval.ts';
import type { ApprovalStatement } from '#protocol/approval.ts';
import { canonicalJson, sha256Hex } from '#protocol/canonical.ts';
import { newSigningKey } from '#protocol/signing.ts';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import { cpuMs, sideBySide } from './measure.ts';

const APPROVALS = 500;

/** The CPU of one approval: digest of the actions and the note, signature, and its check. */
export const approve: Benchmark = {
  name: 'approve',
  about: 'digest, sign and verify one approval, beside a bare Ed25519 signature and its check',
  async *run({ rounds }) {
    const key = newSigningKey();
    const bare = generateKeyPairSync('ed25519');
    const bytes = Buffer.from(canonicalJson(statementOf(0)));
    const measured = await sideBySide(
      rounds,
      () =>
        cpuMs(() => {
          for (let i = 0; i < APPROVALS; i++) {
            const approval = signApproval(statementOf(i), 'command', key);
            if (!verifyApproval(approval, key.publicKey)) throw new Error('a good approval was refused');
          }
        }),
      () =>
        cpuMs(() => {
          for (let i = 0; i < APPROVALS; i++) {
            const signature = sign(null, bytes, bare.privateKey);
            if (!verify(null, bytes, bare.publicKey, signature))
              throw new Error('a good signature was refused');
          }
        }),
    );
    const each = { value: measured.value / APPROVALS, anchor: measured.anchor / APPROVALS };
    yield figureOf('approve/cpu-ms', each, { of: 'value', is: '<=', limit: 0.25 });
  },
};

const NOTE = Buffer.from(`${'A line of a note as a person reads it.\n'.repeat(80)}`);

function statementOf(index: number): ApprovalStatement {
  const actions: readonly Action[] = [
    {
      kind: 'email.reply',
      from: 'assistant@example.com',
      to: ['maya@lindenworks.example'],
      cc: [],
      subject: 'Re: Two places in the December weekend?',
      text: `Hello Maya,\n\n${'Tuesday suits me, and so does Wednesday. '.repeat(20)}\n\nRobin ${index}`,
      attachments: [],
      inReplyTo: '<CAH7kcG6iTZVFjvy9hzihE4NoUMYi@mail.lindenworks.example>',
      references: ['<CAH7kcG6iTZVFjvy9hzihE4NoUMYi@mail.lindenworks.example>'],
    },
  ];
  return {
    purpose: 'ai-employee/approval/v1',
    vaultId: 'vault-1',
    taskId: 't0123456789abcdef0123',
    actionsDigest: actionsDigest(actions),
    noteDigest: sha256Hex(NOTE),
    epoch: 1,
    approver: 'owner',
    nonce: `nonce-of-the-approval-${index}`,
    notBefore: '2026-11-21T08:00:00.000Z',
    expires: '2026-11-22T08:00:00.000Z',
  };
}
