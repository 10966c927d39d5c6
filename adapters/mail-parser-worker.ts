import { parentPort } from 'node:worker_threads';
import type { ParsedMail } from '#protocol/mail.ts';
import { UnreadableMailError } from '#protocol/mail-errors.ts';
import type { MimeLimits } from './mime-tree.ts';
import { parseMail } from './parse-mail.ts';

/** A mail to read. */
export interface ParseRequest {
  readonly raw: ArrayBuffer;
  readonly limits: MimeLimits;
}

/** What the worker says: `ready` once, then one answer a request. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'mail'; readonly mail: ParsedMail }
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** Our own mistake, or the library's, in front of this very mail. */
  | { readonly kind: 'failed'; readonly message: string };

// The body of a thread: it is started by mail-parser.ts and has no export that anybody calls.
const port = parentPort;
if (port) {
  port.on('message', ({ raw, limits }: ParseRequest) => {
    void answer(raw, limits).then((message) => port.postMessage(message));
  });
  port.postMessage({ kind: 'ready' } satisfies WorkerMessage);
}

async function answer(raw: ArrayBuffer, limits: MimeLimits): Promise<WorkerMessage> {
  try {
    return { kind: 'mail', mail: await parseMail(raw, limits) };
  } catch (error) {
    if (error instanceof UnreadableMailError) return { kind: 'unreadable', reason: error.reason };
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}
