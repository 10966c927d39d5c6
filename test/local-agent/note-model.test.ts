import { it } from 'vitest';
import { checkNoteModel } from '#test/support/note-model.ts';

/** The long run plays more of them: `note-model.long.test.ts`. */
const RUNS = 60;

it(
  'whatever two people do to the notes of tasks, and wherever syncs die, both vaults end in step and nothing is lost',
  { timeout: 120_000 },
  () => checkNoteModel(RUNS),
);
