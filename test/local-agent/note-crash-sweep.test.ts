import { afterEach, expect, it } from 'vitest';
import type { LocalWorld } from '#test/support/local-world.ts';
import { sweepNotes } from '#test/support/note-sweep.ts';

const open = new Set<LocalWorld>();

afterEach(() => {
  for (const world of open) world.dispose();
  open.clear();
});

it(
  'dying at one of eight calls while notes are brought in step loses nothing and doubles nothing (FAILURES 28)',
  { timeout: 60_000 },
  async () => {
    await sweepNotes(8, open);
    expect(open.size).toBe(0);
  },
);
