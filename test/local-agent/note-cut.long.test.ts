import { afterEach, beforeEach, expect, it } from 'vitest';
import { cutAndMoved, cutApproved, cutStrays } from '#test/support/cut-notes.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld;

beforeEach(async () => {
  world = await createLocalWorld();
});
afterEach(() => {
  world.dispose();
});

it.each([
  ['in Approved/ after it was approved voids the approval', cutApproved],
  ['and moved into Approved/ is not approved', cutAndMoved],
  ['under a name that nobody knows is quarantined', cutStrays],
])('a note that was cut at any byte (FAILURES 33) %s', { timeout: 600_000 }, async (_what, cut) => {
  await cut(world, 1);
  expect(world.tools.calls).toEqual([]);
});
