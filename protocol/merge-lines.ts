import { diff3Merge } from 'node-diff3';

/** The steps one stretch may cost: looking for the longest common lines grows with the cube of repeats. */
const MAX_STEPS = 20_000_000;

/**
 * The changed one of three values, if at most one side changed it or both did alike; else `undefined`.
 *
 * @example threeWay('a', 'a', 'b') // 'b'
 */
export function threeWay<T>(base: T, ours: T, theirs: T): T | undefined {
  if (ours === theirs || base === theirs) return ours;
  return base === ours ? theirs : undefined;
}

/**
 * Merges two versions of the same lines, or answers `undefined` where both changed the same or
 * neighbouring lines. Every line that either side brought in is in the result. Lines that stand once in
 * all three versions cut the texts into stretches, so that only those both sides changed are compared
 * closely (diff3: Khanna, Kunal, Pierce, "A Formal Investigation of Diff3", 2007).
 */
export function mergeLines(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): string[] | undefined {
  const merged: string[] = [];
  let from: Anchor = [0, 0, 0];
  for (const anchor of [
    ...anchorsOf(base, ours, theirs),
    [base.length, ours.length, theirs.length] as const,
  ]) {
    const stretch = mergeStretch(
      base.slice(from[0], anchor[0]),
      ours.slice(from[1], anchor[1]),
      theirs.slice(from[2], anchor[2]),
    );
    if (!stretch) return undefined;
    for (const line of stretch) merged.push(line);
    const line = base[anchor[0]];
    if (line !== undefined) merged.push(line);
    from = [anchor[0] + 1, anchor[1] + 1, anchor[2] + 1];
  }
  return merged;
}

/** Where one line stands in base, ours and theirs. */
type Anchor = readonly [number, number, number];

function mergeStretch(base: string[], ours: string[], theirs: string[]): string[] | undefined {
  const [b, o, t] = [base, ours, theirs].map((lines) => lines.join('\n'));
  if (ours.length === theirs.length && o === t) return ours;
  if (base.length === ours.length && b === o) return theirs;
  if (base.length === theirs.length && b === t) return ours;
  if (stepsOf(base, ours) > MAX_STEPS || stepsOf(base, theirs) > MAX_STEPS) return undefined;
  const regions = diff3Merge(ours, base, theirs, { excludeFalseConflicts: true });
  const merged: string[] = [];
  for (const { ok } of regions) {
    if (!ok) return undefined;
    for (const line of ok) merged.push(line);
  }
  return merged;
}

/** Lines that stand once in each version and in the same order, as far as one can tell quickly. */
function anchorsOf(base: readonly string[], ours: readonly string[], theirs: readonly string[]): Anchor[] {
  const [inOurs, inTheirs] = [onceIn(ours), onceIn(theirs)];
  const all: Anchor[] = [];
  for (const [line, at] of onceIn(base)) {
    const [o, t] = [inOurs.get(line), inTheirs.get(line)];
    if (o !== undefined && t !== undefined) all.push([at, o, t]);
  }
  all.sort((a, b) => a[0] - b[0]);
  const kept = new Set(rising(all, 2));
  return rising(all, 1).filter((anchor) => kept.has(anchor));
}

function onceIn(lines: readonly string[]): Map<string, number> {
  const once = new Map<string, number>();
  const twice = new Set<string>();
  for (const [index, line] of lines.entries()) {
    if (once.delete(line)) twice.add(line);
    else if (!twice.has(line)) once.set(line, index);
  }
  return once;
}

/** The longest rising run of one member, by patience sorting. */
function rising(anchors: readonly Anchor[], member: 1 | 2): Anchor[] {
  const piles: { readonly anchor: Anchor; readonly under: number }[] = [];
  const tops: number[] = [];
  for (const anchor of anchors) {
    let [low, high] = [0, tops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const top = piles[tops[middle] ?? 0]?.anchor[member] ?? 0;
      if (top < anchor[member]) low = middle + 1;
      else high = middle;
    }
    piles.push({ anchor, under: low === 0 ? -1 : (tops[low - 1] ?? -1) });
    tops[low] = piles.length - 1;
  }
  const run: Anchor[] = [];
  for (let at = tops.at(-1) ?? -1; at >= 0;) {
    const pile = piles[at];
    if (!pile) break;
    run.push(pile.anchor);
    at = pile.under;
  }
  return run.reverse();
}

/** An upper bound of what the comparison of two stretches costs. */
function stepsOf(a: readonly string[], b: readonly string[]): number {
  const count = new Map<string, number>();
  for (const line of a) count.set(line, (count.get(line) ?? 0) + 1);
  let pairs = 0;
  for (const line of b) pairs += count.get(line) ?? 0;
  return (pairs + a.length) * Math.min(a.length, b.length);
}
