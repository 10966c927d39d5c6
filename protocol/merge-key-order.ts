import { threeWay } from './merge-lines.ts';

/**
 * One order for the keys that two versions hold together. The keys of the base stand as the side that
 * moved them has them; a new key stands after the key it was put behind. The order of the two sides does
 * not matter.
 */
export function mergeKeyOrder(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): string[] {
  const old = new Set(base);
  const kept = (keys: readonly string[]): string => JSON.stringify(keys.filter((key) => old.has(key)));
  const order = JSON.parse(threeWay(kept(base), kept(ours), kept(theirs)) ?? kept(base)) as string[];
  const [oursAfter, theirsAfter] = [newAfter(ours, old), newAfter(theirs, old)];
  const result = new Set<string>();
  for (const key of [undefined, ...order]) {
    if (key !== undefined) result.add(key);
    const runs = [oursAfter.get(key) ?? [], theirsAfter.get(key) ?? []];
    runs.sort((a, b) => (a.join('\n') < b.join('\n') ? -1 : 1));
    for (const added of runs.flat()) result.add(added);
  }
  return [...result];
}

/** The new keys of one side by the old key they follow; `undefined`: they come first. */
function newAfter(keys: readonly string[], old: ReadonlySet<string>): Map<string | undefined, string[]> {
  const after = new Map<string | undefined, string[]>();
  let last: string | undefined;
  for (const key of keys) {
    if (old.has(key)) last = key;
    else after.set(last, [...(after.get(last) ?? []), key]);
  }
  return after;
}
