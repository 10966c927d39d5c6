import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { AwsOptions } from '#adapters/client-options.ts';

const run = promisify(execFile);

/** rclone between a folder and a bucket of the emulator. */
export interface Rclone {
  /**
   * One way, in its best mode for our calls and time: the listing alone is compared (sizes), so no object is looked at
   * by itself. It misses an edit that keeps the size, which ours and `bisync` do not.
   */
  sync(folder: string, bucket: string): Promise<void>;
  /** Both ways. `first` makes the listings that later runs need. */
  bisync(folder: string, bucket: string, first?: boolean): Promise<void>;
  /** From the bucket into an empty folder. */
  restore(bucket: string, folder: string): Promise<void>;
}

/** The rclone of this machine, or `undefined` where none is installed. */
export async function findRclone(options: AwsOptions, workDir: string): Promise<Rclone | undefined> {
  const env = {
    PATH: process.env['PATH'],
    HOME: workDir,
    RCLONE_CONFIG: path.join(workDir, 'rclone.conf'),
    RCLONE_CONFIG_PEER_TYPE: 's3',
    RCLONE_CONFIG_PEER_PROVIDER: 'Other',
    RCLONE_CONFIG_PEER_ENDPOINT: options.endpoints?.s3 ?? '',
    RCLONE_CONFIG_PEER_REGION: options.region ?? '',
    RCLONE_CONFIG_PEER_ACCESS_KEY_ID: options.credentials?.accessKeyId ?? '',
    RCLONE_CONFIG_PEER_SECRET_ACCESS_KEY: options.credentials?.secretAccessKey ?? '',
    RCLONE_CONFIG_PEER_FORCE_PATH_STYLE: 'true',
  };
  const rclone = async (...args: string[]): Promise<void> => {
    await run('rclone', [...args, '--s3-no-check-bucket', '--quiet'], { env, maxBuffer: 16 * 1024 * 1024 });
  };
  try {
    await run('rclone', ['version'], { env });
  } catch {
    return undefined;
  }
  mkdirSync(path.join(workDir, 'bisync'), { recursive: true });
  const best = ['--size-only', '--fast-list', '--transfers', '16', '--checkers', '16'];
  return {
    sync: (folder, bucket) => rclone('sync', folder, `peer:${bucket}`, ...best),
    bisync: (folder, bucket, first = false) => {
      const listings = ['--workdir', path.join(workDir, 'bisync'), ...(first ? ['--resync'] : [])];
      return rclone('bisync', folder, `peer:${bucket}`, ...listings);
    },
    restore: (bucket, folder) => rclone('sync', `peer:${bucket}`, folder, ...best),
  };
}
