import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import { describeCall } from '../call-log.ts';
import { AwsError, readBody, type EmulatorOptions, type RunningEmulator } from './aws-http.ts';
import { listenOnLoopback } from './listen.ts';
import { changeOf, type TableChange } from './table-changes.ts';

const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** @see startDynamodb */
export interface DynamodbOptions extends EmulatorOptions {
  /** Folder that keeps the tables over a restart; in memory without. */
  path?: string;
  /** Told of each item that was put. */
  onChange?: (change: TableChange) => void;
}

type Listener = (request: IncomingMessage | Readable, response: ServerResponse) => void;

/**
 * DynamoDB by dynalite. Conditional writes are exact. Missing in dynalite, and refused by it: transactions,
 * TTL settings, streams (see `changeOf`), backups.
 *
 * dynalite gets whole requests only, and is closed when the last one was answered: a client that goes away
 * in the middle of a request (a function killed at its timeout) makes it throw out of an event handler,
 * which would end the whole process.
 * @throws PortInUse
 */
export async function startDynamodb(options: DynamodbOptions): Promise<RunningEmulator> {
  const server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  const listeners = server.listeners('request') as Listener[];
  server.removeAllListeners('request');
  const inFlight = new Set<Promise<void>>();
  server.on('request', (request, response) => {
    const answered = answer(listeners, options, request, response);
    inFlight.add(answered);
    void answered.finally(() => inFlight.delete(answered));
  });
  const port = await listenOnLoopback(server, 'dynamodb', options.port ?? 0);
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      // Its close() stops listening at once and closes the tables after the last connection.
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.allSettled(inFlight);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  listeners: readonly Listener[],
  { intercept, onChange }: Pick<DynamodbOptions, 'intercept' | 'onChange'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let body: Buffer;
  try {
    body = await readBody(request, BODY_LIMIT_BYTES);
  } catch (error) {
    if (error instanceof AwsError) refuse(response, error);
    else response.destroy();
    return;
  }
  const target = request.headers['x-amz-target'];
  const operation = typeof target === 'string' ? (target.split('.').at(-1) ?? 'Unknown') : 'Unknown';
  const input = parsedInput(body);
  const call = describeCall('dynamodb', operation, request.headers, input);
  const denied = intercept(call);
  if (denied !== undefined) {
    refuse(response, new AwsError('com.amazon.coral.service#AccessDeniedException', denied.message));
    return;
  }
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    for (const listener of listeners) listener(wholeRequest(request, body), response);
  });
  const change = response.statusCode === 200 ? changeOf(operation, input) : undefined;
  if (change) onChange?.(change);
}

/** A request whose body has arrived, so that it can neither stall nor break off. */
function wholeRequest(request: IncomingMessage, body: Buffer): Readable {
  const { method, url, headers } = request;
  return Object.assign(Readable.from(body.length === 0 ? [] : [body]), { method, url, headers });
}

function parsedInput(body: Buffer): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(body.toString('utf8'));
    return typeof input === 'object' && input !== null ? { ...input } : {};
  } catch {
    // dynalite words the refusal of what is not JSON; for the log there is nothing to read.
    return {};
  }
}

function refuse(response: ServerResponse, error: AwsError): void {
  response.writeHead(error.status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify({ __type: error.errorCode, message: error.message }));
}
