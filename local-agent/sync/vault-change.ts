import type { Zone } from '#protocol/task.ts';

/** One change that a sync carried between vault and ledger; `in` into the vault, `out` into the ledger. */
export interface VaultChange {
  readonly direction: 'in' | 'out';
  readonly op: 'put' | 'move' | 'delete';
  /** Where the file stands now, or stood before it was deleted. */
  readonly path: string;
  /** Only of a move: where it came from. */
  readonly from?: string;
  /** The zone whose work it is. */
  readonly zone: Zone;
  /** The task whose note it is. */
  readonly taskId?: string;
}
