import { NameIndex } from '#protocol/name-index.ts';
import { namesOf } from '#protocol/replay-files.ts';
import { asideName } from './copy-name.ts';
import type { AgreeStep, CarryStep, ConflictStep, DeleteStep, PlanInput, UploadStep } from './file-steps.ts';
import { byText } from './plan-moves.ts';
import type { Track } from './plan-moves.ts';
import type { Withheld } from './scan.ts';

/** Steps towards the ledger, with what has to be said about them. */
export interface UploadPlan {
  readonly steps: readonly (AgreeStep | UploadStep)[];
  readonly withheld: readonly Withheld[];
  readonly explained: readonly string[];
}

type Carry = { -readonly [K in keyof CarryStep]: CarryStep[K] };

/**
 * What a person did here, as steps towards the ledger. A file has the name that was given to it on one side
 * (the ledger's, if on both) and the contents that were changed on one side (merged, if on both); work beats
 * deletion. What the ledger has at a name stays there, and what is new here gives way.
 */
export function planUploads(
  input: PlanInput,
  tracks: readonly Track[],
  created: readonly string[],
): UploadPlan {
  const planner = new UploadPlanner(input);
  for (const track of tracks) planner.resolve(track);
  planner.placeMoves();
  // A file that is in the way of a folder makes way for it, so what stands in folders comes first.
  for (const path of created.toSorted((a, b) => depthOf(b) - depthOf(a) || byText(a, b)))
    planner.create(path);
  return planner.plan();
}

class UploadPlanner {
  readonly #input: PlanInput;
  readonly #agrees: AgreeStep[] = [];
  readonly #deletes: DeleteStep[] = [];
  #moves: Carry[] = [];
  readonly #puts: CarryStep[] = [];
  readonly #conflicts: ConflictStep[] = [];
  readonly #withheld: Withheld[] = [];
  readonly #explained: string[] = [];
  readonly #aside = new Set<string>();
  readonly #renew: { readonly path: string; readonly known: string }[] = [];
  #names: NameIndex | undefined;

  constructor(input: PlanInput) {
    this.#input = input;
  }

  /** Decides name and contents of a file that both sides know, or knew. */
  resolve(track: Track): void {
    const { path, base, at, disk } = track;
    const ours = disk === undefined ? undefined : this.#input.disk.get(disk);
    if (!at) return this.#resolveGone(track, ours);
    const theirs = at.file.content.sha256;
    if (disk === undefined || ours === undefined) {
      if (at.path === path && theirs === base.sha256) this.#deletes.push({ do: 'delete', at });
      return;
    }
    const stays = this.#input.left.has(disk);
    const edited = ours !== base.sha256 && ours !== theirs && !stays;
    const to = disk === path ? at.path : at.path === path ? disk : at.path;
    if (disk !== path && to !== disk) {
      this.#explained.push(`${disk}: the file ${path} was renamed to ${to} elsewhere; it has that name now`);
    }
    if (to !== at.path || edited) {
      const merge = edited && theirs !== base.sha256 ? { merge: true as const } : {};
      const known = this.#isReplaced(track) ? {} : { known: path };
      const content = edited ? { ours, ...merge } : {};
      const carry: Carry = { do: 'carry', disk, at, to, was: base, ...known, ...content };
      if (to === at.path) this.#puts.push(carry);
      else this.#moves.push(carry);
    } else if (!stays && (disk !== path || ours !== base.sha256)) this.#rebase(track, ours, theirs);
  }

  /** Another file has its path by now, on both sides. */
  #isReplaced({ path, base }: Track): boolean {
    const { ledger, disk } = this.#input;
    const file = ledger.get(path);
    return file !== undefined && file.id !== base.id && file.content.sha256 === disk.get(path);
  }

  /** Gone from the ledger: what was worked on here comes back as a new file. */
  #resolveGone({ path, base, disk }: Track, ours: string | undefined): void {
    if (disk === undefined) this.#agrees.push({ do: 'agree', path, agreed: undefined });
    else if (disk !== path || ours !== base.sha256) this.#renew.push({ path: disk, known: path });
  }

  /** The bytes on the disk are the ledger's, under a name that the ledger will not take. */
  #rebase({ path, base, at, disk }: Track, ours: string, theirs: string): void {
    if (disk === undefined || !at) return;
    const n = ours === theirs ? at.file.contentN : base.n;
    if (disk !== path) this.#agrees.push({ do: 'agree', path, agreed: undefined });
    this.#agrees.push({ do: 'agree', path: disk, agreed: { ...base, sha256: ours, id: at.file.id, n } });
  }

  /** Gives files their new names as far as those are free; all of them leave their old ones first. */
  placeMoves(): void {
    this.#moves.sort((a, b) => byText(a.to, b.to));
    for (let again = true; again;) {
      again = false;
      this.#names = undefined;
      if (this.#moves.length === 0) break;
      const names = this.#namesAfter();
      const blocked = new Set<Carry>();
      for (const move of [...this.#moves]) {
        if (this.#clear(move.to, names, (to) => (move.to = to)) === undefined) names.add(move.to);
        else blocked.add(move);
      }
      // All at once: each round costs a look at every name. Their old names may be in the way of others.
      this.#moves = this.#moves.filter((move) => !blocked.has(move));
      for (const move of blocked) this.#turnBack(move);
      again = blocked.size > 0;
      this.#names = names;
    }
    for (const { path, known } of this.#renew) this.create(path, known);
  }

  /** A new file of this machine: goes up under its name if that is free. */
  create(path: string, known?: string): void {
    const { disk, ledger, left } = this.#input;
    const ours = disk.get(path);
    if (ours === undefined || left.has(path)) return;
    const names = (this.#names ??= this.#namesAfter());
    let to = path;
    const clash = this.#clear(path, names, (aside) => (to = aside));
    if (clash === undefined) {
      names.add(to);
      this.#puts.push({ do: 'carry', disk: path, to, ours, ...(known === undefined ? {} : { known }) });
    } else if (clash.how === 'same') {
      const theirs = ledger.get(path);
      this.#conflicts.push({ do: 'conflict', disk: path, ours, ...(theirs ? { theirs } : {}) });
    } else {
      const why = `its name differs from that of ${clash.with} only in case or Unicode form; rename one of them`;
      this.#withheld.push({ path, why });
    }
  }

  plan(): UploadPlan {
    return {
      steps: [...this.#agrees, ...this.#conflicts, ...this.#deletes, ...this.#moves, ...this.#puts],
      withheld: this.#withheld,
      explained: this.#explained,
    };
  }

  /** The names of the ledger without those that its files are about to leave. */
  #namesAfter(): NameIndex {
    const names = new NameIndex(namesOf(this.#input.ledger));
    for (const { at } of this.#deletes) names.delete(at.path);
    for (const { at } of this.#moves) if (at) names.delete(at.path);
    return names;
  }

  /**
   * Whether a file may have a name. Where a folder and a file want the same one, the file is put aside.
   *
   * @returns what is in the way and stays there.
   */
  #clear(path: string, names: NameIndex, putAside: (to: string) => void): ReturnType<NameIndex['clash']> {
    const clash = names.clash(path);
    if (clash?.how !== 'folder' && clash?.how !== 'file') return clash;
    const { ledger, disk } = this.#input;
    const inTheWay = clash.how === 'file' ? clash.with : path;
    const sha256 = clash.how === 'file' ? ledger.get(inTheWay)?.content.sha256 : disk.get(path);
    const aside = asideName(inTheWay, sha256 ?? '', (name) => names.clash(name) === undefined);
    if (aside === undefined) return { how: 'twin', with: clash.with };
    this.#explained.push(
      `${inTheWay} is a folder on one side and a file on the other; the file is now ${aside}`,
    );
    if (clash.how === 'folder') {
      putAside(aside);
      return undefined;
    }
    const file = ledger.get(inTheWay);
    if (!file || this.#aside.has(inTheWay)) return { how: 'twin', with: clash.with };
    this.#aside.add(inTheWay);
    names.delete(inTheWay);
    names.add(aside);
    this.#moves.push({ do: 'carry', at: { path: inTheWay, file }, to: aside });
    return undefined;
  }

  /** The name is taken: the file keeps the one that the ledger has for it. */
  #turnBack(move: Carry): void {
    const { disk, at, known, was } = move;
    if (disk === undefined || !at || !was) return;
    this.#explained.push(`${disk}: that name was taken elsewhere; the file is called ${at.path} again`);
    if (move.ours !== undefined) this.#puts.push({ ...move, to: at.path });
    else if (!this.#input.left.has(disk)) {
      const ours = this.#input.disk.get(disk) ?? '';
      this.#rebase({ path: known ?? disk, base: was, at, disk }, ours, at.file.content.sha256);
    }
  }
}

function depthOf(path: string): number {
  return path.split('/').length;
}
