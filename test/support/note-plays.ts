import fc from 'fast-check';
import { TASK_FOLDERS } from './task-folders.ts';

/** With one that differs from another in case alone. */
const FOLDERS = [...TASK_FOLDERS, 'pending_approval'] as const;
/** The two machines. */
export const SIDES = ['laptop', 'desktop'] as const;
export type Side = (typeof SIDES)[number];

const side = fc.constantFrom(...SIDES);
/** Which of the files that are there, or which task. */
const n = fc.nat({ max: 5 });
const folder = fc.constantFrom(...FOLDERS);
const at = fc.integer({ min: 1, max: 50 });
const when = fc.constantFrom('before' as const, 'after' as const);
const line = fc.nat({ max: 30 });
const same = fc.boolean();
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('edit' as const), side, n, line }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('drag' as const), side, n, folder }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), side, n }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('copy' as const), side, n, folder, same }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), side, n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('swap' as const), side, n, other: n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ruin' as const), side, n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('approve' as const), side, n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reject' as const), side, n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('redraft' as const), side, n }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('sync' as const), side }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('die' as const), side, at, when }) },
);
/** What a person, the cloud or fate does to the notes of tasks. */
export type NoteStep = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Some of it, one after another. */
export const notePlays: fc.Arbitrary<NoteStep[]> = fc.array(step, { minLength: 3, maxLength: 22 });
