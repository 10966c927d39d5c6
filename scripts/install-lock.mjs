import { readFileSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 150;
const HEARTBEAT_MS = 2_000;
const SILENT_MS = 30_000;

/**
 * Runs `work` while no other process of this checkout does, on any machine or container that shares the folder.
 * A lock is broken when its holder is known to be dead, or after its heartbeat stood still for 30 s on the
 * waiting process's own monotonic clock: nobody's wall clock is trusted.
 *
 * @template T
 * @param {string} root the folder that holds the lock file
 * @param {(line: string) => void} say
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withInstallLock(root, say, work) {
  const file = path.join(root, '.install.lock');
  await acquire(file, say);
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  const release = () => unlinkQuietly(file);
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    release();
  }
}

/**
 * @param {string} file
 * @param {(line: string) => void} say
 */
async function acquire(file, say) {
  let said = false;
  /** @type {{ mtimeMs: number, sinceMs: number } | undefined} */
  let seen;
  while (!create(file)) {
    const mtimeMs = modifiedAt(file);
    if (mtimeMs === undefined) continue;
    if (seen?.mtimeMs !== mtimeMs) seen = { mtimeMs, sinceMs: performance.now() };
    if (holderIsDead(file) || performance.now() - seen.sinceMs > SILENT_MS) {
      breakLock(file, mtimeMs);
      continue;
    }
    if (!said) say('Another command is installing the dependencies; waiting for it.');
    said = true;
    await delay(POLL_MS);
  }
}

/** @param {string} file */
function create(file) {
  try {
    writeFileSync(file, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} file */
function holderIsDead(file) {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8'));
    // Process ids mean something on one host only; elsewhere the heartbeat has to tell.
    if (holder.host !== hostname() || !Number.isInteger(holder.pid)) return false;
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    // ESRCH: no such process. Anything else (gone, half written, another user's process) decides nothing.
    return errorCode(error) === 'ESRCH';
  }
}

/**
 * Two waiters may find the same dead lock. Only the one that creates the second file removes it, and only if it
 * is still the lock that was found dead; otherwise the slower would remove the lock of the faster.
 *
 * @param {string} file
 * @param {number} mtimeMs
 */
function breakLock(file, mtimeMs) {
  const breaking = `${file}.breaking`;
  if (!create(breaking)) {
    if (holderIsDead(breaking)) unlinkQuietly(breaking);
    return;
  }
  if (modifiedAt(file) === mtimeMs) unlinkQuietly(file);
  unlinkQuietly(breaking);
}

/** @param {string} file */
function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

/** @param {string} file */
function touch(file) {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** @param {string} file */
function unlinkQuietly(file) {
  try {
    unlinkSync(file);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
