import { heldContent } from './content.ts';
import type { ContentRef } from './content.ts';
import type { FileChange } from './ledger-body.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { NameIndex } from './name-index.ts';
import type { Zone } from './task.ts';
import type { FileView, Refusal, VaultState } from './vault-state.ts';
import { misspeltShared, ringOf, taskFolderOf } from './vault-path.ts';

type Why = Omit<Refusal, 'n' | 'writer' | 'taskId'>;
type FileMap = ReadonlyMap<string, FileView>;

const indexes = new WeakMap<FileMap, NameIndex>();

/** The names of a state's files; made when first asked for, kept up to date by replay. */
export function namesOf(files: FileMap): NameIndex {
  let names = indexes.get(files);
  if (names?.size !== files.size) indexes.set(files, (names = new NameIndex(files.keys())));
  return names;
}

/**
 * Applies the changes of a `files` entry together, so that two files can change places, and answers what was
 * refused: see {@link refusalsOf}. A copy of a conflict that goes away settles the conflict.
 */
export function applyFiles(
  state: VaultState,
  entry: LedgerEntry,
  changes: readonly FileChange[],
  zone: Zone,
): Why[] {
  const whys = refusalsOf(state.files, entry.ring, changes, zone);
  const accepted = [...changes.entries()].filter(([index]) => !whys[index]);
  const before = new Map(accepted.map(([, { path }]) => [path, state.files.get(path)]));
  for (const [, change] of accepted) {
    if (change.op === 'put') continue;
    setFile(state.files, change.path, undefined);
    state.conflicts.delete(change.path);
  }
  for (const [index, change] of accepted) {
    if (change.op === 'delete') continue;
    const known = change.base === undefined ? undefined : before.get(change.path);
    const brought = change.content ? broughtBy(entry, change.content) : known;
    const id = known?.id ?? `${entry.n}.${index}`;
    if (brought)
      setFile(state.files, change.op === 'move' ? change.to : change.path, { ...brought, id, n: entry.n });
  }
  return whys.filter((why) => why !== undefined);
}

/**
 * Why each change of a `files` entry is refused, or `undefined`, by its place. Task folders are closed (a
 * task's note moves by its task), hidden names are, and the cloud may write `Briefings/` only. A change of a
 * file that moved on since (`base`), or to a name that is not free once all files of the entry have left
 * theirs, is late. Names are not free for a twin in case or Unicode form, nor below a file.
 */
export function refusalsOf(
  files: FileMap,
  ring: LedgerEntry['ring'],
  changes: readonly FileChange[],
  zone: Zone,
): (Why | undefined)[] {
  const whys = changes.map((change) => forbidden(change, ring, zone));
  const sources = new Set<string>();
  for (const [index, { path, base }] of changes.entries()) {
    if (whys[index] || base === undefined) continue;
    if (files.get(path)?.content.sha256 === base && !sources.has(path)) sources.add(path);
    else whys[index] = late(`${path} had changed meanwhile`);
  }
  // One that is refused keeps its name, which may be in the way of another: asked until nothing changes.
  for (let open = true; open;) {
    open = false;
    const live = changes.filter((_change, index) => !whys[index]);
    if (live.every((change) => change.op === 'put' && change.base !== undefined)) break;
    const leaving = live.flatMap((change) => (change.op === 'put' ? [] : change.path));
    const names = namesOf(files);
    const taken: string[] = [];
    for (const path of leaving) names.delete(path);
    for (const [index, change] of changes.entries()) {
      const target = whys[index] ? undefined : targetOf(change);
      if (target === undefined) continue;
      const clash = names.clash(target);
      if (clash) {
        whys[index] = late(`${target} is not free: there is ${clash.with}`);
        open = true;
        continue;
      }
      names.add(target);
      taken.push(target);
    }
    for (const path of taken) names.delete(path);
    for (const path of leaving) names.add(path);
  }
  return whys;
}

/** A file's contents as an entry brought them. */
export function broughtBy(entry: LedgerEntry, content: ContentRef): Omit<FileView, 'id'> {
  const held = entry.ring === 'private' ? heldContent(content, entry.n) : content;
  return { content: held, contentN: entry.n, ring: entry.ring, n: entry.n };
}

/** Puts a file into the state, or takes it out. */
export function setFile(files: Map<string, FileView>, path: string, file: FileView | undefined): void {
  const names = indexes.get(files);
  if (file ? !files.has(path) : files.has(path)) names?.[file ? 'add' : 'delete'](path);
  if (file) files.set(path, file);
  else files.delete(path);
}

function forbidden(change: FileChange, ring: LedgerEntry['ring'], zone: Zone): Why | undefined {
  for (const path of change.op === 'move' ? [change.path, change.to] : [change.path]) {
    if (taskFolderOf(path)) return incident(`wrote ${path} as a plain file past its task`);
    if (zone === 'cloud' && !/^Briefings\/[^/.][^/]*\.md$/.test(path)) {
      return incident(`the cloud zone wrote ${path}`);
    }
    if (ringOf(path) !== ring) return incident(`${path} was sealed with the ${ring} key`);
    if (/(^|\/)\./.test(path)) return incident(`wrote the hidden file ${path}`);
    if (misspeltShared(path) !== undefined) return incident(`wrote ${path} in the place of a shared file`);
  }
  return change.op === 'move' && change.to === change.path
    ? late(`${change.path} moved onto itself`)
    : undefined;
}

/** The name that a change takes and that was not its file's before. */
function targetOf(change: FileChange): string | undefined {
  if (change.op === 'move') return change.to;
  return change.op === 'put' && change.base === undefined ? change.path : undefined;
}

function incident(message: string): Why {
  return { severity: 'incident', code: 'zone', message };
}

function late(message: string): Why {
  return { severity: 'late', code: 'stale-base', message };
}
