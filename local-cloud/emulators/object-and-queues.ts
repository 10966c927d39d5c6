import { buildApp } from 'fauxqs';
import type { IncomingHttpHeaders } from 'node:http';
import { describeCall, type AttemptedCall, type AwsService, type Intercept } from '../call-log.ts';
import { escapeXml, unescapeXml, type EmulatorOptions, type RunningEmulator } from './aws-http.ts';
import { makeFauxqsStores } from './fauxqs-stores.ts';
import { asPortInUse } from './listen.ts';
import { s3Operation } from './s3-operation.ts';

/** Above SES's 40 MB for a mail, so that a whole one fits a single put as it does in S3. */
const OBJECT_LIMIT_BYTES = 64 * 1024 * 1024;

/** @see startObjectAndQueues */
export interface ObjectAndQueuesOptions extends EmulatorOptions {
  region: string;
  /** Folder that keeps objects, queues and topics over a restart; in memory without. */
  dataDir?: string;
}

/** How many messages a queue holds, as `GetQueueAttributes` would count them. */
export interface QueueDepth {
  visible: number;
  inFlight: number;
  delayed: number;
}

/** The S3, SNS and SQS emulator. */
export interface ObjectAndQueues extends RunningEmulator {
  /** By queue name; not logged as a call. */
  readonly queueDepths: () => Record<string, QueueDepth>;
}

type Refusal = { status: number; code: string; message: string };

/**
 * S3, SNS and SQS in one, by fauxqs. What fauxqs would answer with 200 without doing it is refused here:
 * unknown subresources (501), and `If-Match` on a put (501). `If-None-Match: *` on a put is enforced (412).
 * @throws PortInUse
 */
export async function startObjectAndQueues(options: ObjectAndQueuesOptions): Promise<ObjectAndQueues> {
  const { stores, close } = await makeFauxqsStores(options.dataDir);
  const app = buildApp({ logger: false, defaultRegion: options.region, stores });

  // fauxqs stops at 11 MiB, S3 at 5 GB. A parser's own limit wins over the server's.
  app.removeContentTypeParser('*');
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: OBJECT_LIMIT_BYTES },
    (_request, body, done) => {
      done(null, body);
    },
  );
  app.addHook('preHandler', (request, reply, done) => {
    const { method, headers, raw } = request;
    const attempt = describe(method, raw.url ?? '/', headers, request.body, isMissing);
    // Asked first, so that a call nobody knows is logged too.
    const denied = denial(attempt.call, options.intercept);
    const refusal = denied ?? attempt.refusal ?? precondition(attempt.call, headers);
    if (refusal !== undefined) {
      void sendRefusal(reply, attempt.call, refusal);
      return;
    }
    // fauxqs fails on an empty object, whose request carries no body at all.
    if (method === 'PUT' && request.body === undefined) request.body = Buffer.alloc(0);
    done();
  });

  function isMissing(bucket: string, key: string): boolean {
    if (!stores.s3Store.hasBucket(bucket)) return false;
    try {
      stores.s3Store.headObject(bucket, key);
      return false;
    } catch {
      // That is how the store says no.
      return true;
    }
  }

  function precondition(call: AttemptedCall, headers: IncomingHttpHeaders): Refusal | undefined {
    if (call.operation !== 'PutObject') return undefined;
    if (headers['if-match'] !== undefined) {
      return {
        status: 501,
        code: 'NotImplemented',
        message: 'The local cloud has no If-Match on PutObject.',
      };
    }
    if (headers['if-none-match'] === undefined) return undefined;
    const exists = stores.s3Store
      .listObjects(String(call.input['Bucket']), { prefix: String(call.input['Key']), maxKeys: 1 })
      .objects.some((object) => object.key === call.input['Key']);
    const message = 'At least one of the pre-conditions you specified did not hold';
    return exists ? { status: 412, code: 'PreconditionFailed', message } : undefined;
  }

  try {
    await app.listen({ port: options.port ?? 0, host: '127.0.0.1' });
  } catch (error) {
    close();
    throw asPortInUse(error, 's3', options.port ?? 0);
  }
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    port,
    endpoint,
    queueDepths: () => {
      stores.sqsStore.processAllTimers();
      return Object.fromEntries(
        [...stores.sqsStore.allQueues()].map((queue) => [
          queue.name,
          {
            visible: Number(queue.getAttribute('ApproximateNumberOfMessages')),
            inFlight: Number(queue.getAttribute('ApproximateNumberOfMessagesNotVisible')),
            delayed: Number(queue.getAttribute('ApproximateNumberOfMessagesDelayed')),
          },
        ]),
      );
    },
    close: async () => {
      await app.close();
      close();
    },
  };
}

function describe(
  method: string,
  url: string,
  headers: IncomingHttpHeaders,
  body: unknown,
  isMissing: (bucket: string, key: string) => boolean,
): { call: AttemptedCall; refusal?: Refusal } {
  const contentType = headers['content-type'] ?? '';
  const fields = typeof body === 'object' && body !== null && !Buffer.isBuffer(body) ? { ...body } : {};
  if (url === '/' && method === 'POST' && contentType.includes('x-amz-json-1.0')) {
    const target = headers['x-amz-target'];
    const operation = typeof target === 'string' ? (target.split('.').at(-1) ?? 'Unknown') : 'Unknown';
    return { call: describeCall('sqs', operation, headers, fields) };
  }
  if (url === '/' && method === 'POST' && contentType.includes('x-www-form-urlencoded')) {
    const action = 'Action' in fields && typeof fields.Action === 'string' ? fields.Action : 'Unknown';
    return { call: describeCall('sns', action, headers, fields) };
  }
  const request = s3Operation(method, url, headers);
  const input = {
    Bucket: request.bucket,
    Key: request.key,
    ...(request.prefix === undefined ? {} : { Prefix: request.prefix }),
    ...(request.operation === 'DeleteObjects' ? { Keys: keysIn(body) } : {}),
    ...(READS.has(request.operation ?? '') && isMissing(request.bucket, request.key)
      ? { Missing: true }
      : {}),
  };
  const call = describeCall('s3', request.operation ?? 'Unknown', headers, input);
  if (request.operation !== undefined) return { call };
  const what =
    request.unknownSubresource === undefined ? `${method} ${url}` : `?${request.unknownSubresource}`;
  return {
    call,
    refusal: { status: 501, code: 'NotImplemented', message: `The local cloud's s3 does not know ${what}.` },
  };
}

/** What a policy may not tell of an object that is not there. */
const READS = new Set(['GetObject', 'HeadObject', 'GetObjectAttributes']);

function keysIn(body: unknown): string[] {
  const xml = Buffer.isBuffer(body) ? body.toString('utf8') : '';
  return [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescapeXml(key));
}

function denial(call: AttemptedCall, intercept: Intercept): Refusal | undefined {
  const denied = intercept(call);
  return denied === undefined
    ? undefined
    : { status: 403, code: DENIED[call.service], message: denied.message };
}

const DENIED: Record<AwsService, string> = {
  s3: 'AccessDenied',
  sqs: 'AccessDenied',
  sns: 'AuthorizationError',
  dynamodb: 'AccessDeniedException',
  ses: 'AccessDenied',
  secretsmanager: 'AccessDeniedException',
  sts: 'AccessDenied',
  cloudwatch: 'AccessDenied',
};

interface Reply {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(payload: unknown): unknown;
}

function sendRefusal(reply: Reply, call: AttemptedCall, { status, code, message }: Refusal): unknown {
  reply.code(status).header('x-amzn-requestid', call.requestId);
  if (call.service === 'sqs') {
    reply.header('content-type', 'application/x-amz-json-1.0');
    reply.header('x-amzn-query-error', `${code};Sender`);
    return reply.send(JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }));
  }
  const error = `<Code>${code}</Code><Message>${escapeXml(message)}</Message>`;
  reply.header('content-type', 'application/xml');
  if (call.service === 'sns') {
    return reply.send(
      `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>${error}</Error>` +
        `<RequestId>${call.requestId}</RequestId></ErrorResponse>`,
    );
  }
  return reply.send(`<Error>${error}<RequestId>${call.requestId}</RequestId></Error>`);
}
