import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const Endpoints = z.object({
  dynamodb: z.url(),
  s3: z.url(),
  sqs: z.url(),
  ses: z.url(),
  secretsmanager: z.url(),
  sts: z.url(),
});

const Options = z.object({
  region: z.string(),
  endpoints: Endpoints,
  credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
});

type Options = z.infer<typeof Options>;

const Ready = z.object({
  options: Options,
  relayed: Endpoints.pick({ dynamodb: true, s3: true }),
  queueUrls: z.tuple([z.url(), z.url()]),
});

/** What the parent may ask the process of the emulators; it answers with an {@link Answer} of the same id. */
export const Question = z.strictObject({
  id: z.int(),
  /** Sets what the relays add to each call. */
  delayMs: z.number().optional(),
  /** Makes a secret without a value. */
  newSecret: z.string().optional(),
  newBucket: z.string().optional(),
});
export type Question = z.infer<typeof Question>;

/** @see Question */
export const Answer = z.strictObject({
  id: z.int(),
  /** Calls that were answered so far, but for those of the platform. */
  calls: z.int(),
  /** Bytes that went through the relays so far, both ways, with all headers. */
  bytes: z.int(),
  secretArn: z.string().optional(),
});
export type Answer = z.infer<typeof Answer>;

/**
 * Emulators in a process of their own: tables `tasks` and `ledger`, buckets `inbound` and `vault`, a queue; tables
 * and queue a second time for the anchor, the tables with `-anchor` to their names.
 */
export interface RemoteEmulators {
  readonly options: Options;
  /** The same, with DynamoDB and S3 behind relays that count bytes and may add to each call. */
  readonly relayed: Options;
  readonly queueUrl: string;
  readonly anchorQueueUrl: string;
  ask(question: Omit<Question, 'id'>): Promise<Answer>;
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
  const { options, relayed, queueUrls } = Ready.parse(message);
  const asked = new Map<number, (answer: Answer) => void>();
  child.on('message', (reply) => {
    const answer = Answer.parse(reply);
    asked.get(answer.id)?.(answer);
    asked.delete(answer.id);
  });
  let lastId = 0;
  return {
    options,
    relayed: { ...options, endpoints: { ...options.endpoints, ...relayed } },
    queueUrl: queueUrls[0],
    anchorQueueUrl: queueUrls[1],
    ask: (question) => {
      const id = ++lastId;
      const answered = new Promise<Answer>((resolve) => asked.set(id, resolve));
      child.send({ ...question, id });
      const gone = ended.then(() => {
        throw new Error('the emulators ended');
      });
      return Promise.race([answered, gone]);
    },
    close: async () => {
      child.disconnect();
      await ended;
    },
  };
}
