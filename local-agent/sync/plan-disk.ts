import type { Differences } from './plan-differences.ts';
import type { DiskStep, PlanInput } from './file-steps.ts';
import { byText } from './plan-moves.ts';
import type { Withheld } from './scan.ts';

/** Steps towards the vault, and what could not be brought there. */
export interface DiskPlan {
  readonly steps: readonly DiskStep[];
  readonly withheld: readonly Withheld[];
}

/**
 * Brings the ledger's files to the disk: what is gone goes, what has another name is moved, then contents.
 * Only what is on the disk as it was agreed on is ever replaced or removed. A circle of moves is written, as
 * no file can leave first.
 */
export function planDisk(input: PlanInput, differences: Differences): DiskPlan {
  const { agreed, disk, ledger, isOwnWork } = input;
  const isClean = (path: string): boolean => {
    const sha256 = disk.get(path) ?? '';
    return agreed.get(path)?.sha256 === sha256 || (ledger.has(path) && isOwnWork(path, sha256));
  };
  const wanted = differences.ledger.filter((path) => !disk.has(path) || isClean(path)).toSorted(byText);
  const settled = differences.disk.filter((path) => agreed.has(path) && isClean(path)).toSorted(byText);
  const now = new Shape(differences.disk, disk);
  const leaving = settled.filter((path) => !ledger.has(path));
  const ids = leaving.length === 0 ? new Map<string, string>() : placesOf(input);
  const moves = findMoves(input, wanted, settled);
  const steps: DiskStep[] = [];
  const remove = (path: string): void => {
    const place = ids.get(agreed.get(path)?.id ?? '');
    if (place !== undefined && input.outside(place)) return;
    steps.push({ do: 'remove', path, expected: now.take(path), gone: place === undefined });
  };
  for (const path of leaving) if (!moves.has(path)) remove(path);
  for (let moved = true; moved;) {
    moved = false;
    for (const [path, to] of moves) {
      const file = ledger.get(to);
      if (!file || now.inTheWayOf(to) !== undefined) continue;
      moves.delete(path);
      moved = true;
      const expected = now.take(path);
      now.put(to, expected);
      steps.push({ do: 'move', path, to, expected, file });
    }
  }
  for (const path of moves.keys()) if (!ledger.has(path)) remove(path);
  if (steps.length > 0) steps.push({ do: 'tidy' });
  const withheld: Withheld[] = [];
  for (const path of wanted) {
    const file = ledger.get(path);
    const present = now.at(path);
    if (!file || present === file.content.sha256) continue;
    const inTheWay = present === undefined ? now.inTheWayOf(path) : undefined;
    if (inTheWay === undefined) steps.push({ do: 'write', path, expected: present ?? null, file });
    else
      withheld.push({ path, why: `it waits in the ledger: ${inTheWay} stands in its place on this machine` });
  }
  return { steps, withheld };
}

/** From where a file that the ledger has elsewhere can be moved, instead of loading it again. */
function findMoves(
  { agreed, ledger }: PlanInput,
  wanted: readonly string[],
  settled: readonly string[],
): Map<string, string> {
  const byId = new Map<string, string>();
  for (const path of settled) {
    const id = agreed.get(path)?.id ?? '';
    if (id !== '' && ledger.get(path)?.id !== id) byId.set(id, path);
  }
  const moves = new Map<string, string>();
  for (const to of wanted) {
    const path = byId.get(ledger.get(to)?.id ?? '');
    const nested = path !== undefined && (to.startsWith(`${path}/`) || path.startsWith(`${to}/`));
    if (path !== undefined && !nested) moves.set(path, to);
  }
  return moves;
}

function placesOf({ ledger }: PlanInput): Map<string, string> {
  const places = new Map<string, string>();
  for (const [path, { id }] of ledger) places.set(id, path);
  return places;
}

/** What the disk looks like after the steps so far, as far as it differs from the ledger. */
class Shape {
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, number>();

  constructor(paths: readonly string[], disk: ReadonlyMap<string, string>) {
    for (const path of paths) this.put(path, disk.get(path) ?? '');
  }

  at(path: string): string | undefined {
    return this.#files.get(path);
  }

  put(path: string, sha256: string): void {
    this.#files.set(path, sha256);
    for (const folder of foldersOf(path)) this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1);
  }

  take(path: string): string {
    const sha256 = this.#files.get(path) ?? '';
    if (!this.#files.delete(path)) return sha256;
    for (const folder of foldersOf(path)) this.#folders.set(folder, (this.#folders.get(folder) ?? 0) - 1);
    return sha256;
  }

  /** What keeps a new file from this path: a file or folder there, or a file for a folder above. */
  inTheWayOf(path: string): string | undefined {
    if (this.#files.has(path) || (this.#folders.get(path) ?? 0) > 0) return path;
    return [...foldersOf(path)].find((folder) => this.#files.has(folder));
  }
}

function* foldersOf(path: string): Generator<string> {
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) yield path.slice(0, at);
}
