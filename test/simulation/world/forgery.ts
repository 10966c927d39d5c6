import { signApproval } from '#protocol/approval.ts';
import type { Approval } from '#protocol/approval.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { EntryDraft } from '#protocol/ledger-entry.ts';
import type { SigningKey } from '#protocol/signing.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { VAULT_ID } from './keys.ts';

/** What an attack writes into the ledger, and whether `verify` has to name it as forged. */
export interface Forgery extends EntryDraft {
  readonly isNamed: boolean;
}

/** An entry that says that a task was approved. @param note that was read. @default the one that stands there */
export function approvalEntry(
  { taskId, epoch, note: current }: TaskView,
  approval: Approval,
  note = current,
): Forgery | undefined {
  return note && { taskId, epoch, body: { kind: 'approval', approval, note }, isNamed: true };
}

/** As good as whoever has this key can make one: the cloud has no other than its own. */
export function forgedApproval({ taskId, epoch, note }: TaskView, id: string, key: SigningKey): Approval {
  const statement = {
    purpose: 'ai-employee/approval/v1',
    vaultId: VAULT_ID,
    taskId,
    actionsDigest: sha256Hex(id),
    noteDigest: note?.content.sha256 ?? '',
    epoch,
    approver: 'owner',
    nonce: `the-nonce-of-${id}-forged`,
    notBefore: '2026-11-21T00:00:00.000Z',
    expires: '2027-11-21T00:00:00.000Z',
  } as const;
  return signApproval(statement, 'command', key);
}
