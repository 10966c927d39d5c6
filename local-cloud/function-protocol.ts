/** What a function worker is started with. */
export interface WorkerSettings {
  /** The file that exports the handler, absolute. */
  file: string;
  exportName: string;
  functionName: string;
  functionArn: string;
  memoryMb: number;
}

/** To the worker: run the handler once. */
export interface InvokeMessage {
  requestId: string;
  event: unknown;
  /** Wall clock, for `getRemainingTimeInMillis`. */
  deadlineMs: number;
}

/** From the worker. `loaded` comes once, after the module's top level ran. */
export type WorkerMessage =
  | { kind: 'loaded' }
  | { kind: 'load-failed'; error: string }
  | { kind: 'returned'; requestId: string; result: unknown }
  | { kind: 'threw'; requestId: string; error: string };
