import { beginsEpoch, epochFault } from './key-epoch.ts';
import type { KeysBody, LedgerBody } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { relocated } from './ledger-contents.ts';
import { setFile } from './replay-files.ts';
import { incident, moved, touch } from './replay-rules.ts';
import type { Verdict } from './replay-rules.ts';
import type { Zone } from './task.ts';
import type { VaultState } from './vault-state.ts';
import { renewalFault } from './writer-keys.ts';

/**
 * Refuses what was sealed with other keys than those in force at its place: older ones may be in anybody's hands
 * by now, and newer ones nobody honest writes with yet.
 */
export function sealedOtherwise({ keys }: VaultState, { keyEpoch }: LedgerEntry): Verdict {
  if (!keys || keyEpoch === keys.keyEpoch) return undefined;
  return incident('old-keys', `sealed with key epoch ${keyEpoch}, while ${keys.keyEpoch} is in force`);
}

/** Puts new keys into force, if their writer may. What a renewed approver had approved, and has not run, is void. */
export function applyKeys(
  state: VaultState,
  entry: LedgerEntry,
  body: KeysBody,
  zone: Zone,
  hash: string,
): Verdict {
  const before = state.keys;
  const fault = zone === 'cloud' && before && renewalFault(before, body, entry.writer);
  if (fault) return incident('zone', `the cloud zone wrote new keys, and ${fault}`);
  const step = epochFault(state, entry.writer, body);
  if (step !== undefined) return incident('old-keys', step);
  if (!before || beginsEpoch(state, entry.writer, body)) {
    state.epochStart = { n: entry.n, hash, at: entry.at };
    state.founder ??= entry.writer;
  }
  const { wrapped: _wrapped, ...keys } = body;
  state.keys = keys;
  const keyOf = (known: KeysBody | undefined, name: string): string | undefined =>
    known?.approvers.find(({ approver }) => approver === name)?.publicKey;
  for (const task of state.tasks.values()) {
    const approver = task.approval?.approval.statement.approver;
    if (task.state !== 'approved' || approver === undefined) continue;
    if (keyOf(before, approver) === keyOf(keys, approver)) continue;
    moved(task, 'voided', () => {
      delete task.approval;
      task.voided = `the key with which ${approver} approved it is no longer in force`;
      task.reason = task.voided;
      return touch(task, entry);
    });
  }
  return undefined;
}

/** Takes note of where contents are now; what the state points at follows. */
export function applyReseal(
  state: VaultState,
  { ring }: LedgerEntry,
  body: Extract<LedgerBody, { kind: 'reseal' }>,
): void {
  const { resealed } = state;
  const now = new Map(
    body.moved.map(({ from, to: { blob, pack } }) => [from, { blob, ...(pack ? { pack } : {}), ring }]),
  );
  for (const [from, place] of resealed) {
    const next = now.get(place.blob);
    if (next) resealed.set(from, next);
  }
  for (const [from, place] of now) resealed.set(from, place);
  // Where a blob is in use again, nothing says that it can go.
  for (const [from, place] of resealed) if (from === place.blob) resealed.delete(from);
  for (const [path, file] of [...state.files]) {
    const content = relocated(file.content, resealed);
    if (content !== file.content) setFile(state.files, path, { ...file, content });
  }
  for (const task of state.tasks.values()) {
    const { note, approval } = task;
    if (note) task.note = { ...note, content: relocated(note.content, resealed) };
    if (approval) {
      const content = relocated(approval.note.content, resealed);
      task.approval = { ...approval, note: { ...approval.note, content } };
    }
  }
}
