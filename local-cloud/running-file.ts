import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from './emulators/durable-file.ts';

const Url = z.url();

/** What a running local cloud says of itself: the `ready` line, and `running.json` while it runs. */
export const Running = z.object({
  ready: z.literal(true),
  /** `host:port` */
  smtp: z.string(),
  /** Address that takes mail. */
  recipient: z.string(),
  outbox: z.string(),
  region: z.string(),
  endpoints: z.object({
    dynamodb: Url,
    s3: Url,
    sns: Url,
    sqs: Url,
    ses: Url,
    secretsmanager: Url,
    sts: Url,
    cloudwatch: Url,
  }),
  /** Absent with `--cloud-only`. */
  desk: z.string().optional(),
  vault: z.string().optional(),
  config: z.string().optional(),
});
export type Running = z.infer<typeof Running>;

const FILE = 'running.json';

/** Tells others on this machine where everything is. */
export async function writeRunning(folder: string, running: Running): Promise<void> {
  await writeDurably(join(folder, FILE), `${JSON.stringify(running, null, 2)}\n`);
}

/** Takes it back. */
export function removeRunning(folder: string): void {
  rmSync(join(folder, FILE), { force: true });
}

/** What the local cloud of that folder said, or undefined if none runs (or what it left is unreadable). */
export function readRunning(folder: string): Running | undefined {
  try {
    return Running.parse(JSON.parse(readFileSync(join(folder, FILE), 'utf8')));
  } catch {
    return undefined;
  }
}
