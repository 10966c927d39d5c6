import { readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const IN_MEMORY = '/dev/shm';
const LEAST_FREE_BYTES = 2 * 1024 ** 3;

/**
 * Where tests make their temporary folders: in memory where there is room and programs may be started, since
 * thousands of small files wait for a disk longer than for anything else. The long tests stay on the disk.
 */
export function tempFolder(): string {
  if (process.env['TMPDIR'] !== undefined) return tmpdir();
  try {
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[1] === IN_MEMORY);
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    const isFit = mount !== undefined && !/\bnoexec\b/.test(mount) && bavail * bsize >= LEAST_FREE_BYTES;
    return isFit ? IN_MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}
