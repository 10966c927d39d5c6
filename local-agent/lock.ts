import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { EmployeeError } from '#protocol/errors.ts';

const WAIT_MS = 15_000;
const SAY_AFTER_MS = 1_000;
const RETRY_MS = 25;

/** Another process of this machine works on the same state and did not finish in time. */
export class AgentBusyError extends EmployeeError {
  static override readonly code = 'AGENT_BUSY';
}

/** A daemon runs already. */
export class DaemonRunningError extends EmployeeError {
  static override readonly code = 'DAEMON_RUNS';
}

/** The sole right to work on a state folder. */
export interface StateLock {
  /** Gives it back; calling twice is harmless. */
  release(): void;
}

/**
 * Takes the exclusive lock of a state folder. It is a lock of the operating system (SQLite's, on
 * `lock.db`), so it ends with the process, however that ends, and no stale file is ever in the way.
 *
 * @param log told once, after a second of waiting, who holds it.
 * @param waitMs how long to wait for another holder. @default 15000
 * @throws {AgentBusyError}
 */
export async function acquireLock(
  folder: string,
  log: (line: string) => void,
  waitMs = WAIT_MS,
): Promise<StateLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const holderFile = path.join(folder, 'lock.pid');
  const started = performance.now();
  let said = false;
  for (;;) {
    const lock = tryLock(path.join(folder, 'lock.db'));
    if (lock) {
      // Only to tell others whom they wait for; the lock itself does not depend on it.
      writeFileSync(holderFile, String(process.pid));
      return lock;
    }
    const waitedMs = performance.now() - started;
    if (waitedMs >= waitMs) {
      throw new AgentBusyError(
        `another employee process${holder(holderFile)} has been working on ${folder} for ${Math.round(waitedMs / 1000)} s; ` +
          'try again when it is done, or stop it',
      );
    }
    if (!said && waitedMs >= SAY_AFTER_MS) {
      said = true;
      log(`waiting for another employee process${holder(holderFile)} to finish …`);
    }
    await delay(RETRY_MS);
  }
}

/**
 * Takes the right to be the daemon of a state folder, for as long as the process stays. Commands work
 * beside it.
 *
 * @throws {DaemonRunningError} at once, naming the other one.
 */
export function acquireDaemonLock(folder: string): StateLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const holderFile = path.join(folder, 'daemon-lock.pid');
  const lock = tryLock(path.join(folder, 'daemon-lock.db'));
  if (!lock) {
    throw new DaemonRunningError(
      `a daemon${holder(holderFile)} runs for ${folder} already; "employee status" shows it. Stop it first`,
    );
  }
  writeFileSync(holderFile, String(process.pid));
  return lock;
}

function tryLock(file: string): StateLock | undefined {
  const db = new DatabaseSync(file);
  try {
    db.exec('PRAGMA busy_timeout = 0');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      db.exec('ROLLBACK');
      db.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY and SQLITE_LOCKED.
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && [5, 6].includes(errcode & 0xff);
}

function holder(file: string): string {
  try {
    return ` (process ${Number.parseInt(readFileSync(file, 'utf8'), 10)})`;
  } catch {
    return '';
  }
}
