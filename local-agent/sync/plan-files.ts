import { findDifferences } from './plan-differences.ts';
import type { Differences } from './plan-differences.ts';
import type { FilesPlan, FileStep, PlanInput } from './file-steps.ts';
import { planDisk } from './plan-disk.ts';
import { pairMoves } from './plan-moves.ts';
import type { Track } from './plan-moves.ts';
import { planUploads } from './plan-uploads.ts';

/**
 * Decides what brings vault and ledger together: three-way, by what was last agreed on, and by the identity
 * of files, which they keep when they move. Pure. What it answers first are the steps towards the ledger;
 * once those are taken, all that a step towards the vault replaces is in the ledger, so that dying between
 * any two of them loses nothing, and planning again goes on where it stopped.
 */
export function planFiles(input: PlanInput): FilesPlan {
  const differences = findDifferences(input);
  const { disk, agreed, ledger, news } = differences;
  if (disk.length + agreed.length + ledger.length === 0) return { steps: news, withheld: [], explained: [] };
  const steps: FileStep[] = [...news];
  const { tracks, loose } = trackFiles(input, differences, steps);
  const known = new Set(agreed);
  const fresh = disk.filter((path) => !known.has(path) && !isOwn(input, path));
  const created = pairMoves(input, tracks, [...fresh, ...loose]);
  const uploads = planUploads(input, tracks, [...created]);
  steps.push(...uploads.steps);
  const { explained } = uploads;
  if (uploads.steps.length > 0) return { steps, withheld: uploads.withheld, explained };
  const inVault = planDisk(input, differences);
  return {
    steps: [...steps, ...inVault.steps],
    withheld: [...uploads.withheld, ...inVault.withheld],
    explained,
  };
}

/** What was agreed on and is not as it was: as tracks; what stands where its file has left is `loose`. */
function trackFiles(
  input: PlanInput,
  { agreed, replaced }: Differences,
  steps: FileStep[],
): { readonly tracks: Track[]; readonly loose: string[] } {
  const tracks: Track[] = [];
  const loose: string[] = [];
  if (agreed.length + replaced.length === 0) return { tracks, loose };
  const places = new Map<string, string>();
  for (const [path, { id }] of input.ledger) places.set(id, path);
  const known = new Set(agreed.map((path) => input.agreed.get(path)?.id));
  for (const path of agreed) {
    const base = input.agreed.get(path);
    if (!base) continue;
    // Deleted and made anew elsewhere: still the file of that name.
    const renewed = !known.has(input.ledger.get(path)?.id);
    const to = places.get(base.id) ?? (renewed ? path : undefined);
    const file = to === undefined ? undefined : input.ledger.get(to);
    if (to !== undefined && file && input.outside(to)) continue;
    if (to !== undefined && file && to !== path && isElsewhere(input, to, base.id)) {
      if (!input.disk.has(path)) steps.push({ do: 'agree', path, agreed: undefined });
      else if (input.disk.get(path) !== base.sha256) loose.push(path);
      continue;
    }
    tracks.push({
      path,
      base,
      at: to !== undefined && file ? { path: to, file } : undefined,
      disk: input.disk.has(path) ? path : undefined,
    });
  }
  for (const path of replaced) {
    const base = input.agreed.get(path);
    const to = base && places.get(base.id);
    const file = to === undefined ? undefined : input.ledger.get(to);
    if (!base || to === undefined || !file || input.outside(to) || isElsewhere(input, to, base.id)) continue;
    tracks.push({ path, base, at: { path: to, file }, disk: undefined });
  }
  return { tracks, loose };
}

/** Whether the file has been brought to its place on this machine already. */
function isElsewhere(input: PlanInput, path: string, id: string): boolean {
  return input.agreed.get(path)?.id === id || input.ledger.get(path)?.content.sha256 === input.disk.get(path);
}

/** A page that this machine wrote by itself is not carried; where the ledger has one, it gives way. */
function isOwn({ disk, isOwnWork }: PlanInput, path: string): boolean {
  return isOwnWork(path, disk.get(path) ?? '');
}
