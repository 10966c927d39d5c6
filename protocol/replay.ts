import type { LedgerBody } from './ledger-body.ts';
import { relocatedBody } from './ledger-contents.ts';
import { entryHash } from './ledger-entry.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { applyApproval, applyIntent, applyResult } from './replay-approval.ts';
import { applyConflict, applyOverride } from './replay-conflict.ts';
import { applyFiles } from './replay-files.ts';
import { applyKeys, applyReseal, sealedOtherwise } from './replay-keys.ts';
import { incident } from './replay-rules.ts';
import type { Verdict } from './replay-rules.ts';
import { applyChange, applyClaim } from './replay-task.ts';
import type { Zone } from './task.ts';
import { zoneOf } from './vault-state.ts';
import type { TaskView, VaultState } from './vault-state.ts';

const LOCAL_ONLY: ReadonlySet<string> = new Set([
  'approval',
  'intent',
  'result',
  'conflict',
  'override',
  'checkpoint',
  'reseal',
]);

/**
 * Applies one checked entry to the state. What the rules of the zones, the epochs or the approvals do
 * not allow is refused: recorded in `state.refusals` and without any effect. Every reader refuses the
 * same, so all replicas agree.
 *
 * @param body the opened body, or `undefined` for an entry of a ring this zone cannot read.
 * @param hash the entry's, where it is known already.
 */
export function applyEntry(
  state: VaultState,
  entry: LedgerEntry,
  body: LedgerBody | undefined,
  hash = entryHash(entry),
): void {
  const zone = zoneOf(state, entry.writer) ?? (body?.kind === 'keys' ? 'local' : 'cloud');
  const other = sealedOtherwise(state, entry);
  if (other) state.refusals.push({ n: entry.n, writer: entry.writer, ...other });
  else if (body) applyBody(state, entry, relocatedBody(body, state.resealed), { zone, hash });
  state.head = { n: entry.n, hash };
}

function applyBody(
  state: VaultState,
  entry: LedgerEntry,
  body: LedgerBody,
  { zone, hash }: { readonly zone: Zone; readonly hash: string },
): void {
  const refuse = (why: Verdict, taskId = entry.taskId): void => {
    if (why) state.refusals.push({ n: entry.n, writer: entry.writer, ...(taskId ? { taskId } : {}), ...why });
  };
  if (zone === 'cloud' && LOCAL_ONLY.has(body.kind)) {
    const forged = body.kind === 'approval';
    refuse({
      severity: 'incident',
      code: forged ? 'forged-approval' : 'zone',
      message: `the cloud zone wrote ${forged ? 'an approval' : `an entry of kind ${body.kind}`}, which only the local zone can`,
    });
    return;
  }
  switch (body.kind) {
    case 'keys':
      refuse(applyKeys(state, entry, body, zone, hash));
      return;
    case 'task':
      for (const change of body.changes) refuse(applyChange(state, entry, change, zone), change.taskId);
      return;
    case 'files':
      for (const why of applyFiles(state, entry, body.changes, zone)) refuse(why);
      return;
    case 'claim':
      refuse(withTask(state, entry, (task) => applyClaim(task, entry, body, zone)));
      return;
    case 'approval':
      refuse(withTask(state, entry, (task) => applyApproval(state, task, entry, body)));
      return;
    case 'intent':
      refuse(withTask(state, entry, (task) => applyIntent(state, task, entry, body)));
      return;
    case 'result':
      refuse(withTask(state, entry, (task) => applyResult(state, task, entry, body)));
      return;
    case 'delivery':
      refuse(
        withTask(state, entry, (task) => {
          task.deliveries.push({ n: entry.n, event: body.event, at: body.happenedAt });
          return undefined;
        }),
      );
      return;
    case 'conflict':
      refuse(applyConflict(state, entry, body));
      return;
    case 'override':
      refuse(applyOverride(state, body));
      return;
    case 'checkpoint':
      state.checkpointN = entry.n;
      return;
    case 'reseal':
      applyReseal(state, entry, body);
      return;
  }
}

function withTask(state: VaultState, entry: LedgerEntry, apply: (task: TaskView) => Verdict): Verdict {
  const task = entry.taskId === undefined ? undefined : state.tasks.get(entry.taskId);
  if (!task) return incident('unknown-task', `an entry of kind ${entry.kind} names no task of this ledger`);
  return apply(task);
}
