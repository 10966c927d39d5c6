/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return (
    (quantile(values, 0.5) +
      -quantile(
        values.map((value) => -value),
        0.5,
      )) /
    2
  );
}

/** The smallest value that `share` of all values do not exceed (nearest rank). @throws {RangeError} without values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new RangeError('there is nothing to take a quantile of');
  return value;
}

/** CPU time in ms that this process spends on `work`, with all its threads (collector and workers, too). */
export async function cpuMs(work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Wall time in ms of `work`. */
export async function wallMs(work: () => Promise<void> | void): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

/** A figure and its anchor, as medians. */
export interface SideBySide {
  readonly value: number;
  readonly anchor: number;
}

/**
 * Measures ours and the anchor in turn, so that whatever else the machine does meets both. One round before the first
 * is thrown away.
 *
 * @param rounds at least 5
 */
export async function sideBySide(
  rounds: number,
  ours: (round: number) => Promise<number>,
  anchor: (round: number) => Promise<number>,
): Promise<SideBySide> {
  const values: number[] = [];
  const anchors: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const [value, beside] = [await ours(round), await anchor(round)];
    if (round === 0) continue;
    values.push(value);
    anchors.push(beside);
  }
  return { value: median(values), anchor: median(anchors) };
}
