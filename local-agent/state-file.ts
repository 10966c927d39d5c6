import { statSync } from 'node:fs';
import path from 'node:path';
import { EmployeeError } from '#protocol/errors.ts';

/** The file that this process works with has no name any more, or another file has it. */
export class StateLostError extends EmployeeError {
  static override readonly code = 'STATE_LOST';
}

/**
 * Remembers which file the ledger copy is. A process that stays has it open and would go on writing to it
 * after somebody deleted it, while every other process begins another one.
 *
 * @returns a check to be made before each piece of work, which throws {@link StateLostError}.
 */
export function rememberLedgerCopy(folder: string): () => void {
  const file = path.join(folder, 'ledger.db');
  const inode = inodeOf(file);
  return () => {
    if (inodeOf(file) === inode) return;
    throw new StateLostError(
      `${file} was deleted or replaced while the daemon ran; nothing was synced or sent. ` +
        'Stop the daemon and start it again: it takes the ledger anew from the cloud',
    );
  };
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}
