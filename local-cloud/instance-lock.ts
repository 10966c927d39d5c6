import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another local cloud runs on the same folder. */
export class AlreadyRunning extends Error {
  static readonly code = 'ALREADY_RUNNING';

  constructor(folder: string) {
    super(`a local cloud is already running on ${folder}`);
    this.name = 'AlreadyRunning';
  }
}

/** The file of the lock; it stays when everything else is removed. */
export const LOCK_FILE = 'lock.sqlite';

/**
 * Takes a folder for this process. The lock is a SQLite transaction, which the operating system ends with
 * the process, so a killed one leaves nothing to clean up.
 * @returns what releases it
 * @throws AlreadyRunning
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    // SQLITE_BUSY
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) throw new AlreadyRunning(folder);
    throw error;
  }
  return () => database.close();
}
