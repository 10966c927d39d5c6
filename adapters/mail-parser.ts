import { Worker } from 'node:worker_threads';
import { ParsedMail } from '#protocol/mail.ts';
import { UnreadableMailError } from '#protocol/mail-errors.ts';
import type { MailParser } from '#protocol/ports.ts';
import type { ParseRequest, WorkerMessage } from './mail-parser-worker.ts';
import type { MimeLimits } from './mime-tree.ts';
import { MIME_LIMITS } from './parse-mail.ts';

/** What one mail may cost. */
export interface MailParserLimits {
  /** @default 20,000 */
  readonly timeoutMs?: number;
  /** The worker's heap; the raw mail itself is outside of it. @default 512 */
  readonly memoryMb?: number;
  /** @default MIME_LIMITS */
  readonly mime?: MimeLimits;
}

/** A parser with a thread behind it. */
export interface WorkerMailParser extends MailParser {
  /** Ends the thread. A later `parse` starts a new one. */
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;

/**
 * Parses mails in a worker thread, one at a time, so that a mail which hangs or exhausts the parser ends
 * as an `UnreadableMailError` and nothing else is lost. The thread lives on between mails; after a timeout
 * or a crash the next mail gets a new one. It sees no environment, so no credentials either.
 *
 * `parse` takes the bytes over: afterwards `raw` is empty. (A view of part of a larger buffer is copied
 * and stays.)
 *
 * The worker's file stands beside this one: `mail-parser-worker.mjs` in a bundle, `.ts` in the sources.
 */
export function createMailParser(limits: MailParserLimits = {}): WorkerMailParser {
  const { timeoutMs = 20_000, memoryMb = 512, mime = MIME_LIMITS } = limits;
  let current: Promise<Worker> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function parseNext(raw: Uint8Array): Promise<ParsedMail> {
    current ??= startWorker(memoryMb);
    let worker: Worker;
    try {
      worker = await current;
    } catch (error) {
      current = undefined;
      throw error;
    }
    const answer = await ask(worker, { raw: ownBuffer(raw), limits: mime }, timeoutMs);
    if (answer.kind === 'mail') return ParsedMail.parse(answer.mail);
    if (answer.kind === 'unreadable') throw new UnreadableMailError(answer.reason);
    if (answer.kind === 'failed')
      throw new UnreadableMailError(`the parser failed on it (${answer.message})`);
    current = undefined;
    await worker.terminate();
    throw new UnreadableMailError(answer.reason);
  }

  return {
    parse: (raw) => {
      const parsed = last.then(() => parseNext(raw));
      last = parsed.catch(() => undefined);
      return parsed;
    },
    close: async () => {
      await last;
      const worker = await current?.catch(() => undefined);
      current = undefined;
      await worker?.terminate();
    },
  };
}

type Answer = Exclude<WorkerMessage, { kind: 'ready' }> | { readonly kind: 'lost'; readonly reason: string };

/** One request and its answer, or the end of the worker. */
function ask(worker: Worker, request: ParseRequest, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const finish = (answer: Answer): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      worker.unref();
      resolve(answer);
    };
    const onMessage = (message: WorkerMessage): void => {
      if (message.kind !== 'ready') finish(message);
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      finish({
        kind: 'lost',
        reason: isMemory ? 'reading it takes too much memory' : 'the parser crashed on it',
      });
    };
    const onExit = (): void => finish({ kind: 'lost', reason: 'the parser stopped on it' });
    const timer = setTimeout(() => {
      finish({ kind: 'lost', reason: `reading it took longer than ${timeoutMs / 1000} s` });
    }, timeoutMs);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.ref();
    worker.postMessage(request, [request.raw]);
  });
}

/** Starts a worker and waits until it listens. What fails here is no mail's fault and is thrown as it is. */
function startWorker(memoryMb: number): Promise<Worker> {
  const file = import.meta.url.endsWith('.ts') ? './mail-parser-worker.ts' : './mail-parser-worker.mjs';
  const worker = new Worker(new URL(file, import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    env: {},
    // Flags of the process (a debugger, a loader of the tests) are none of the worker's.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      void worker.terminate();
      reject(error);
    };
    const onExit = (code: number): void => fail(new Error(`the mail parser ended at its start (${code})`));
    const timer = setTimeout(() => fail(new Error('the mail parser did not start')), START_TIMEOUT_MS);
    // Stays for good: an error that comes between two mails must not end the process.
    worker.on('error', fail);
    worker.once('exit', onExit);
    worker.once('message', () => {
      clearTimeout(timer);
      worker.off('exit', onExit);
      resolve(worker);
    });
  });
}

function ownBuffer(raw: Uint8Array): ArrayBuffer {
  const isWhole = raw.buffer instanceof ArrayBuffer && raw.byteLength === raw.buffer.byteLength;
  if (isWhole && raw.buffer instanceof ArrayBuffer) return raw.buffer;
  return Uint8Array.from(raw).buffer;
}
