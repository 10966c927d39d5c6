import { afterEach, expect, it } from 'vitest';
import type { LocalWorld } from '#test/support/local-world.ts';
import { sweepNotes } from '#test/support/note-sweep.ts';

const open = new Set<LocalWorld>();

afterEach(() => {
  for (const world of open) world.dispose();
  open.clear();
});

it(
  'dying at any call while notes are brought in step loses nothing and doubles nothing (FAILURES 28)',
  { timeout: 900_000 },
  async () => {
    await sweepNotes(1, open);
    expect(open.size).toBe(0);
  },
);
