import { seededRandom } from '#test/support/seeded-random.ts';

/** Numbers from 0 to 1. */
export type Draw = () => number;

/**
 * The numbers that belong to a seed and a name. Whatever else is drawn, or not drawn any more, these stay what they
 * are: a plan from which something was left out differs in nothing else.
 */
export function drawsOf(seed: number, ...name: readonly (string | number)[]): Draw {
  let hash = 0x811c9dc5;
  for (const letter of `${seed}/${name.join('/')}`)
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return seededRandom(hash ^ (hash >>> 15));
}

/** Whether something of this probability happens. */
export function chance(draw: Draw, probability: number): boolean {
  return draw() < probability;
}

/** A whole number from `least` to `most`. */
export function between(draw: Draw, least: number, most: number): number {
  return least + Math.floor(draw() * (most - least + 1));
}

/** One of a list. */
export function pick<T>(draw: Draw, list: readonly [T, ...T[]]): T {
  return list[Math.floor(draw() * list.length)] ?? list[0];
}

/** A waiting time without memory: whoever waits, the next one is equally likely to be anybody. */
export function waitMs(draw: Draw, meanMs: number): number {
  return -Math.log(1 - draw()) * meanMs;
}
