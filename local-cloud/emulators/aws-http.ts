import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { describeCall, type AwsService, type Intercept } from '../call-log.ts';
import { listenOnLoopback } from './listen.ts';

/** What each emulator hands back once it listens. */
export interface RunningEmulator {
  endpoint: string;
  port: number;
  readonly close: () => Promise<void>;
}

/** Options that all emulators share. */
export interface EmulatorOptions {
  /** @default 0, any free port */
  port?: number;
  /** Sees every call before it is answered. */
  intercept: Intercept;
}

/** An error as AWS words it: SDK clients make a typed exception out of `code`. */
export class AwsError extends Error {
  static readonly code = 'AWS_ERROR';
  readonly errorCode: string;
  readonly status: number;

  constructor(errorCode: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.errorCode = errorCode;
    this.status = status;
  }
}

/** The answer to a call that an emulator does not know: loud, so that nobody builds on silence. */
export function unknownOperation(service: AwsService, operation: string, known: readonly string[]): AwsError {
  const name = operation === '' ? 'a request without an operation' : operation;
  return new AwsError(
    'UnknownOperationException',
    `The local cloud's ${service} does not know ${name}. Known: ${known.join(', ')}.`,
  );
}

/** One AWS operation of a small emulator. Throws {@link AwsError} to refuse. */
export type Operation<Input, Output> = (input: Input) => Output | Promise<Output>;

/** What a small emulator is made of. Exactly one of the two protocols is given. */
export interface AwsServerDefinition {
  service: AwsService;
  bodyLimitBytes: number;
  /** Operations of the JSON protocol (`x-amz-target`). */
  json?: Record<string, Operation<Record<string, unknown>, object>>;
  /** Operations of the query protocol (`Action=`); they return the XML inside `<ActionResult>`. */
  query?: { namespace: string; operations: Record<string, Operation<URLSearchParams, string>> };
}

/** Starts a loopback server for a service that speaks AWS's JSON or query protocol. */
export async function startAwsServer(
  definition: AwsServerDefinition,
  options: EmulatorOptions,
): Promise<RunningEmulator> {
  const server = createServer((request, response) => {
    answer(definition, options.intercept, request, response).catch((error: unknown) => {
      // Whatever went wrong, the caller hears of it: a hanging request looks like a slow network.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(error instanceof Error ? error.message : String(error));
    });
  });
  const port = await listenOnLoopback(server, definition.service, options.port ?? 0);
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Reads a request to its end. @throws AwsError above the limit */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let tooLarge = false;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    tooLarge ||= sizeBytes > limitBytes;
    // The rest is drained, since a client that still writes would not read the refusal.
    if (!tooLarge) chunks.push(chunk);
  }
  if (tooLarge) throw new AwsError('RequestEntityTooLarge', `The request exceeds ${limitBytes} bytes.`, 413);
  return Buffer.concat(chunks);
}

/** Escapes text for an XML answer. */
export function escapeXml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&apos;');
}

/** The text behind an XML value of a request. */
export function unescapeXml(xml: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return xml.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? whole;
      return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
    },
  );
}

async function answer(
  definition: AwsServerDefinition,
  intercept: Intercept,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { service } = definition;
  let requestId = '';
  let operation = '';
  try {
    const body = await decoded(
      await readBody(request, definition.bodyLimitBytes),
      request.headers,
      definition.bodyLimitBytes,
    );
    const parsed = definition.query === undefined ? parseJson(request, body) : parseQuery(body);
    operation = parsed.operation;
    const call = describeCall(
      service,
      operation === '' ? 'Unknown' : operation,
      request.headers,
      parsed.input,
    );
    requestId = call.requestId;
    const denied = intercept(call);
    if (denied !== undefined) {
      throw new AwsError(
        definition.query === undefined ? 'AccessDeniedException' : 'AccessDenied',
        denied.message,
        definition.query === undefined ? 400 : 403,
      );
    }
    if (definition.query !== undefined) {
      const handler = ownEntry(definition.query.operations, operation);
      if (handler === undefined) {
        throw unknownOperation(service, operation, Object.keys(definition.query.operations));
      }
      const result = await handler(parsed.parameters);
      sendXml(response, 200, queryAnswer(definition.query.namespace, operation, result, requestId));
      return;
    }
    const handler = ownEntry(definition.json ?? {}, operation);
    if (handler === undefined) {
      throw unknownOperation(service, operation, Object.keys(definition.json ?? {}));
    }
    sendJson(response, 200, await handler(parsed.input), requestId);
  } catch (error) {
    const refusal = asAwsError(error);
    if (definition.query === undefined) {
      const payload = { __type: refusal.errorCode, message: refusal.message };
      sendJson(response, refusal.status, payload, requestId, refusal.errorCode);
    } else {
      sendXml(response, refusal.status, queryError(definition.query.namespace, refusal, requestId));
    }
  }
}

function ownEntry<T>(table: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  return new AwsError('InternalFailure', error instanceof Error ? error.message : String(error), 500);
}

async function decoded(body: Buffer, headers: IncomingHttpHeaders, limitBytes: number): Promise<Buffer> {
  if (headers['content-encoding'] !== 'gzip') return body;
  try {
    return await promisify(gunzip)(body, { maxOutputLength: limitBytes });
  } catch {
    throw new AwsError('SerializationException', 'The gzip body cannot be read.');
  }
}

interface ParsedRequest {
  operation: string;
  input: Record<string, unknown>;
  parameters: URLSearchParams;
}

function parseJson(request: IncomingMessage, body: Buffer): ParsedRequest {
  const target = request.headers['x-amz-target'];
  const operation = typeof target === 'string' ? (target.split('.').at(-1) ?? '') : '';
  let input: unknown;
  try {
    input = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch {
    throw new AwsError('SerializationException', 'The body is not JSON.');
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new AwsError('SerializationException', 'The body is not a JSON object.');
  }
  return { operation, input: { ...input }, parameters: new URLSearchParams() };
}

function parseQuery(body: Buffer): ParsedRequest {
  const parameters = new URLSearchParams(body.toString('utf8'));
  return {
    operation: parameters.get('Action') ?? '',
    input: Object.fromEntries(parameters),
    parameters,
  };
}

function sendJson(
  response: ServerResponse,
  status: number,
  payload: object,
  requestId: string,
  errorCode?: string,
): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': requestId,
    ...(errorCode === undefined ? {} : { 'x-amzn-errortype': errorCode }),
  });
  response.end(JSON.stringify(payload));
}

function sendXml(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'text/xml' });
  response.end(xml);
}

function queryAnswer(namespace: string, operation: string, result: string, requestId: string): string {
  return (
    `<${operation}Response xmlns="${namespace}"><${operation}Result>${result}</${operation}Result>` +
    `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`
  );
}

function queryError(namespace: string, error: AwsError, requestId: string): string {
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  return (
    `<ErrorResponse xmlns="${namespace}"><Error><Type>${type}</Type><Code>${escapeXml(error.errorCode)}</Code>` +
    `<Message>${escapeXml(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`
  );
}
