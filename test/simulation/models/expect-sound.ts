import { expect } from 'vitest';
import { explore, figures } from './explore.ts';
import type { Model } from './explore.ts';

/**
 * Explores a model to its end and prints the figures.
 *
 * @param atLeast how many states there have to be: a model in which nothing can happen has no violation either.
 */
export async function expectSound<State>(name: string, model: Model<State>, atLeast: number): Promise<void> {
  const exploration = await explore(model);
  process.stdout.write(`${figures(name, exploration)}\n`);
  expect(exploration.violation).toBeUndefined();
  expect(exploration.states).toBeGreaterThanOrEqual(atLeast);
}
