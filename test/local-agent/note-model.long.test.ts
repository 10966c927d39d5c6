import { it } from 'vitest';
import { checkNoteModel } from '#test/support/note-model.ts';

const RUNS = 1500;

it(
  'over thousands of plays with the notes of tasks, both vaults end in step and nothing is lost',
  { timeout: 1_800_000 },
  () => checkNoteModel(RUNS),
);
