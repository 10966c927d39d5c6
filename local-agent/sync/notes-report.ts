import type { Withheld } from './scan.ts';
import type { VaultChange } from './vault-change.ts';
import type { Wish } from './wishes.ts';

/** What became of the tasks' notes in one sync. */
export interface NotesReport {
  applied: number;
  pushed: number;
  readonly wishes: Wish[];
  /** What was put back, in words for the person. */
  readonly explained: string[];
  /** Versions that were kept under `Conflicts/`. */
  readonly conflicts: string[];
  /** Files in the folders of tasks that are no task's and stay where they are. */
  readonly strays: Withheld[];
  readonly changes: VaultChange[];
}
