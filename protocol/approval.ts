import { z } from 'zod';
import { canonicalJson, NotCanonicalError } from './canonical.ts';
import { ExactInstant, Sha256, TaskId } from './ids.ts';
import { signText, verifyText } from './signing.ts';
import type { PublicKey, SigningKey } from './signing.ts';

/** How strongly a person has to say yes. */
export const ApprovalTier = z.enum(['move', 'totp', 'passkey', 'two-person']);
export type ApprovalTier = z.infer<typeof ApprovalTier>;

/**
 * What a person says by approving. `actionsDigest` binds what will be done, `noteDigest` every byte of
 * the note it was read in, `epoch` the draft, `nonce` makes it good for one execution.
 */
export const ApprovalStatement = z.strictObject({
  purpose: z.literal('ai-employee/approval/v1'),
  vaultId: z.string().min(1).max(100),
  taskId: TaskId,
  actionsDigest: Sha256,
  noteDigest: Sha256,
  epoch: z.int().nonnegative(),
  approver: z.string().min(1).max(100),
  nonce: z.string().min(16).max(100),
  notBefore: ExactInstant,
  expires: ExactInstant,
});
export type ApprovalStatement = z.infer<typeof ApprovalStatement>;

/** A statement with the proof that its approver made it. */
export const Approval = z.strictObject({
  statement: ApprovalStatement,
  /** By which act: a command, or a move of the note on this machine. */
  method: z.enum(['command', 'move']),
  signature: z.string().max(200),
});
export type Approval = z.infer<typeof Approval>;

/** Signs a statement (RFC 8785 bytes, Ed25519). */
export function signApproval(
  statement: ApprovalStatement,
  method: Approval['method'],
  key: SigningKey,
): Approval {
  return { statement, method, signature: signText(signedText(statement, method), key) };
}

/** Whether this approval was made with that approver's key and not altered since. Never throws. */
export function verifyApproval(approval: Approval, publicKey: PublicKey): boolean {
  try {
    return verifyText(signedText(approval.statement, approval.method), approval.signature, publicKey);
  } catch (error) {
    // A statement that cannot even be written canonically (half a surrogate pair) was signed by nobody.
    if (error instanceof NotCanonicalError) return false;
    throw error;
  }
}

function signedText(statement: ApprovalStatement, method: Approval['method']): string {
  return canonicalJson({ statement, method });
}
