import type { FileChange } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import type { Zone } from './task.ts';
import type { Refusal, VaultState } from './vault-state.ts';
import { ringOf, taskFolderOf } from './vault-path.ts';

type Why = Omit<Refusal, 'n' | 'writer' | 'taskId'>;

/**
 * Applies the changes of a `files` entry and answers what was refused. Task folders are closed to it
 * (a task's note moves by its task), the cloud may write `Briefings/` only, and a change of a file that
 * moved on since (`base`) is late.
 */
export function applyFiles(
  state: VaultState,
  entry: LedgerEntry,
  changes: readonly FileChange[],
  zone: Zone,
): Why[] {
  const refused: Why[] = [];
  for (const [index, change] of changes.entries()) {
    const why = refusal(state, entry, change, zone);
    if (why) refused.push(why);
    else apply(state, entry, change, index);
  }
  return refused;
}

function refusal(state: VaultState, entry: LedgerEntry, change: FileChange, zone: Zone): Why | undefined {
  const paths = change.op === 'move' ? [change.path, change.to] : [change.path];
  for (const path of paths) {
    if (taskFolderOf(path)) {
      return { severity: 'incident', code: 'zone', message: `wrote ${path} as a plain file past its task` };
    }
    if (zone === 'cloud' && !/^Briefings\/[^/.][^/]*\.md$/.test(path)) {
      return { severity: 'incident', code: 'zone', message: `the cloud zone wrote ${path}` };
    }
    if (ringOf(path) !== entry.ring) {
      return { severity: 'incident', code: 'zone', message: `${path} was sealed with the ${entry.ring} key` };
    }
  }
  const known = state.files.get(change.path);
  if (known?.content.sha256 !== change.base) {
    return { severity: 'late', code: 'stale-base', message: `${change.path} had changed meanwhile` };
  }
  if (change.op === 'move' && state.files.has(change.to)) {
    return { severity: 'late', code: 'stale-base', message: `${change.to} exists already` };
  }
  return undefined;
}

function apply(state: VaultState, entry: LedgerEntry, change: FileChange, index: number): void {
  const known = state.files.get(change.path);
  if (change.op === 'put') {
    const id = known?.id ?? `${entry.n}.${index}`;
    state.files.set(change.path, { id, content: change.content, ring: entry.ring, n: entry.n });
    return;
  }
  state.files.delete(change.path);
  if (change.op === 'move' && known) {
    state.files.set(change.to, { ...known, content: change.content ?? known.content, n: entry.n });
  }
}
