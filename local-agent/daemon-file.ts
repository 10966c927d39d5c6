import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { replaceFile } from './durable-file.ts';

/** What a running daemon says of itself, beside the config, for `employee status`. */
export const DaemonFile = z.object({
  pid: z.int().positive(),
  desk: z.string(),
  startedAt: z.string(),
  lastPassAt: z.string().optional(),
  /** Why the last pass failed, if it did. */
  error: z.string().optional(),
});
export type DaemonFile = z.infer<typeof DaemonFile>;

/** Says it; whoever reads sees the old text or the new one. */
export async function writeDaemonFile(folder: string, daemon: DaemonFile): Promise<void> {
  await replaceFile(fileIn(folder), `${JSON.stringify(daemon)}\n`, 0o600);
}

/** The daemon that runs now; `undefined` when none does, also when one died without a word. */
export async function runningDaemon(folder: string): Promise<DaemonFile | undefined> {
  try {
    const daemon = DaemonFile.parse(JSON.parse(await readFile(fileIn(folder), 'utf8')));
    process.kill(daemon.pid, 0);
    return daemon;
  } catch {
    return undefined;
  }
}

/** The daemon ended. */
export async function removeDaemonFile(folder: string): Promise<void> {
  await rm(fileIn(folder), { force: true });
}

function fileIn(folder: string): string {
  return path.join(folder, 'daemon.json');
}
