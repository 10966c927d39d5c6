import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { AwsOptions } from '#adapters/client-options.ts';

const Ready = z.object({
  options: z.object({
    region: z.string(),
    endpoints: z.object({ dynamodb: z.url(), s3: z.url(), sqs: z.url() }),
    credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
  }),
  queueUrls: z.tuple([z.url(), z.url()]),
});

/**
 * Emulators in a process of their own: tables `tasks` and `ledger`, buckets `inbound` and `vault`, a queue; tables and
 * queue a second time for the anchor, the tables with `-anchor` to their names.
 */
export interface RemoteEmulators {
  readonly options: AwsOptions;
  readonly queueUrl: string;
  readonly anchorQueueUrl: string;
  close(): Promise<void>;
}

/** Starts them. @throws when the process ends before it is ready. */
export async function startRemoteEmulators(): Promise<RemoteEmulators> {
  const file = fileURLToPath(new URL('./emulator-process.ts', import.meta.url));
  const child = fork(file, { execArgv: ['--disable-warning=ExperimentalWarning'] });
  const ended = once(child, 'exit');
  const [message] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => {
      throw new Error('the emulators could not be started');
    }),
  ])) as unknown[];
  const { options, queueUrls } = Ready.parse(message);
  return {
    options,
    queueUrl: queueUrls[0],
    anchorQueueUrl: queueUrls[1],
    close: async () => {
      child.disconnect();
      await ended;
    },
  };
}
