import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { InvokeMessage, WorkerMessage, WorkerSettings } from './function-protocol.ts';

/** What Lambda hands to a handler beside the event. */
interface LambdaContext {
  callbackWaitsForEmptyEventLoop: boolean;
  functionName: string;
  functionVersion: string;
  invokedFunctionArn: string;
  memoryLimitInMB: string;
  awsRequestId: string;
  logGroupName: string;
  logStreamName: string;
  getRemainingTimeInMillis(): number;
}

type Handler = (event: unknown, context: LambdaContext) => unknown;

const settings = workerData as WorkerSettings;
const port = parentPort;
if (port === null) throw new Error('function-worker.ts runs in a worker thread only');

const answer = (message: WorkerMessage): void => port.postMessage(message);

try {
  const handler = await loadHandler();
  port.on('message', (message: InvokeMessage) => void invoke(handler, message));
  answer({ kind: 'loaded' });
} catch (error) {
  answer({ kind: 'load-failed', error: described(error) });
}

async function loadHandler(): Promise<Handler> {
  const module = (await import(pathToFileURL(settings.file).href)) as Record<string, unknown>;
  const exported =
    module[settings.exportName] ?? (module['default'] as Record<string, unknown>)?.[settings.exportName];
  if (typeof exported !== 'function') throw new Error(`${settings.file} exports no ${settings.exportName}`);
  return exported as Handler;
}

async function invoke(handler: Handler, { requestId, event, deadlineMs }: InvokeMessage): Promise<void> {
  try {
    const result = await handler(event, {
      callbackWaitsForEmptyEventLoop: true,
      functionName: settings.functionName,
      functionVersion: '$LATEST',
      invokedFunctionArn: settings.functionArn,
      memoryLimitInMB: String(settings.memoryMb),
      awsRequestId: requestId,
      logGroupName: `/aws/lambda/${settings.functionName}`,
      logStreamName: 'local',
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    });
    // Lambda answers with JSON; what JSON cannot carry must not get through here either.
    answer({ kind: 'returned', requestId, result: JSON.parse(JSON.stringify(result ?? null)) as unknown });
  } catch (error) {
    answer({ kind: 'threw', requestId, error: described(error) });
  }
}

function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
