import { ringOf } from '#protocol/vault-path.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { AgreedFile } from '../copy-tables.ts';
import type { LedgerPlace, PlanInput } from './file-steps.ts';

/** A file that was agreed on at `path`, and where it is now. */
export interface Track {
  readonly path: string;
  readonly base: AgreedFile;
  /** Where the ledger has it; absent when it is gone there. */
  readonly at: LedgerPlace | undefined;
  /** Where the disk has it; `undefined` when it is gone there. */
  disk: string | undefined;
}

// Empty files are all alike: which of them is which only the file system can tell.
const EMPTY = sha256Hex('');

/**
 * Finds where the files of `tracks` went on the disk: the same bytes or the same file under another name.
 * A name that is still there keeps its file, unless files have changed places. Sets `disk` of the tracks.
 *
 * @param fresh paths of the disk that no agreed file has.
 * @returns those of `fresh` that are new files indeed.
 */
export function pairMoves(input: PlanInput, tracks: readonly Track[], fresh: readonly string[]): Set<string> {
  const open = new Set(fresh.toSorted(byText));
  const missing = tracks.filter(({ disk }) => disk === undefined).toSorted((a, b) => byText(a.path, b.path));
  if (missing.length > 0 && open.size > 0) pairMissing(input, missing, open);
  pairDisplaced(input, tracks, open);
  return open;
}

function pairMissing(input: PlanInput, missing: readonly Track[], open: Set<string>): void {
  const byId = new Map([...open].map((path) => [idOf(input, path), path]));
  byId.delete('');
  const hashOf = (path: string): string => input.disk.get(path) ?? '';
  const lastFirst = [...open].reverse();
  const byHash = Map.groupBy(lastFirst, hashOf);
  const byHashAndName = Map.groupBy(lastFirst, (path) => `${hashOf(path)} ${nameOf(path)}`);
  /** The first that is still open; what is not is never looked at again. */
  const first = (paths: string[] | undefined): string | undefined => {
    while (paths?.length !== 0 && !open.has(paths?.at(-1) ?? ''))
      if (paths?.pop() === undefined) return undefined;
    return paths?.at(-1);
  };
  const same = ({ base }: Track): string | undefined => byId.get(base.fileId ?? '');
  const ways: readonly ((track: Track) => string | undefined)[] = [
    (track) => (hashOf(same(track) ?? '') === track.base.sha256 ? same(track) : undefined),
    ({ base: { sha256 }, path }) =>
      sha256 === EMPTY ? undefined : first(byHashAndName.get(`${sha256} ${nameOf(path)}`)),
    ({ base: { sha256 } }) => (sha256 === EMPTY ? undefined : first(byHash.get(sha256))),
    (track) => (input.apart.has(same(track) ?? '') ? undefined : same(track)),
  ];
  for (const way of ways) {
    for (const track of missing) {
      const path = track.disk === undefined ? way(track) : undefined;
      if (path !== undefined && open.delete(path)) track.disk = path;
    }
  }
}

/** Files that changed places, in a circle or a chain that ends at a new name. */
function pairDisplaced(input: PlanInput, tracks: readonly Track[], open: Set<string>): void {
  const { disk } = input;
  const changed = tracks.filter(
    (track) => track.disk === track.path && disk.get(track.path) !== track.base.sha256,
  );
  if (changed.length === 0) return;
  const occupied = new Map(changed.map((track) => [track.path, track]));
  const places = [...occupied.keys(), ...open].toSorted(byText);
  const byHash = Map.groupBy(places, (path) => disk.get(path) ?? '');
  const byId = new Map(places.map((path) => [idOf(input, path), path]));
  byId.delete('');
  const taken = new Set<string>();
  const moves = new Map<Track, string>();
  const gone = tracks.filter((track) => track.disk === undefined);
  for (const track of [...gone, ...changed].toSorted((a, b) => byText(a.path, b.path))) {
    const { base, path } = track;
    const known = base.fileId !== undefined && base.fileId !== '';
    const candidates = known ? [byId.get(base.fileId ?? '') ?? ''] : (byHash.get(base.sha256) ?? []);
    const to = candidates.find(
      (each) =>
        each !== path &&
        disk.has(each) &&
        !taken.has(each) &&
        !input.apart.has(each) &&
        (known || base.sha256 !== EMPTY) &&
        (!occupied.has(each) || ringOf(each) === ringOf(path)),
    );
    if (to === undefined) continue;
    taken.add(to);
    moves.set(track, to);
  }
  keepWhole(moves, occupied);
  for (const [track, to] of moves) {
    track.disk = to;
    open.delete(to);
  }
}

/** Only whole circles and chains count: an editor that renames the old version aside has moved nothing. */
function keepWhole(moves: Map<Track, string>, occupied: ReadonlyMap<string, Track>): void {
  for (let again = true; again;) {
    again = false;
    const filled = new Set(moves.values());
    for (const [track, to] of moves) {
      const owner = occupied.get(to);
      const leaves = owner === undefined || moves.has(owner);
      const replaced = track.disk === undefined || filled.has(track.path);
      if (leaves && replaced) continue;
      moves.delete(track);
      again = true;
    }
  }
}

function idOf(input: PlanInput, path: string): string {
  return input.fileIds?.get(path)?.fileId ?? '';
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Not by language: the same on every machine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
