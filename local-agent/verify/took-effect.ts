import type { LedgerBody } from '#protocol/ledger-body.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { Refusal, VaultState } from '#protocol/vault-state.ts';

/**
 * What of an entry took effect, seen right after it: an entry of several changes may have been refused in
 * part. `undefined` when nothing did.
 *
 * @param refused the refusals of this very entry.
 */
export function tookEffect(
  { files }: VaultState,
  { n }: LedgerEntry,
  body: LedgerBody,
  refused: readonly Refusal[],
): LedgerBody | undefined {
  if (refused.length === 0) return body;
  if (body.kind === 'task') {
    const late = new Set(refused.map(({ taskId }) => taskId));
    const changes = body.changes.filter(({ taskId }) => !late.has(taskId));
    return changes.length === 0 ? undefined : { ...body, changes };
  }
  if (body.kind !== 'files') return undefined;
  const changes = body.changes.filter(
    (change) => change.op !== 'delete' && files.get(change.op === 'move' ? change.to : change.path)?.n === n,
  );
  return changes.length === 0 ? undefined : { ...body, changes };
}
