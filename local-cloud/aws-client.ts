import { Agent, request as httpRequest } from 'node:http';
import type { Credentials } from './credentials.ts';

/** An emulator refused a call of the platform itself. */
export class PlatformCallFailed extends Error {
  static readonly code = 'PLATFORM_CALL_FAILED';
  readonly errorCode: string;
  readonly status: number;

  constructor(operation: string, status: number, errorCode: string, message: string) {
    super(`${operation}: ${errorCode} ${message}`);
    this.name = 'PlatformCallFailed';
    this.errorCode = errorCode;
    this.status = status;
  }
}

/** Endpoints of the services that the platform itself calls. */
export interface PlatformEndpoints {
  dynamodb: string;
  s3: string;
  sns: string;
  sqs: string;
  secretsmanager: string;
}

const JSON_TARGETS = {
  dynamodb: { prefix: 'DynamoDB_20120810', contentType: 'application/x-amz-json-1.0' },
  sqs: { prefix: 'AmazonSQS', contentType: 'application/x-amz-json-1.0' },
  secretsmanager: { prefix: 'secretsmanager', contentType: 'application/x-amz-json-1.1' },
} as const;

/**
 * What AWS does inside itself (polling queues, delivering mail, creating resources), as calls to the
 * emulators with the platform's own key. Three protocols in few lines instead of five SDK clients: those
 * take longer to load than the whole local cloud takes to start. Emulators do not check signatures.
 */
export class AwsClient {
  readonly #endpoints: PlatformEndpoints;
  readonly #credentials: Credentials;
  readonly #region: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(endpoints: PlatformEndpoints, credentials: Credentials, region: string) {
    this.#endpoints = endpoints;
    this.#credentials = credentials;
    this.#region = region;
  }

  /** Calls a JSON-protocol operation. @throws PlatformCallFailed */
  async json(
    service: keyof typeof JSON_TARGETS,
    operation: string,
    input: object,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const { prefix, contentType } = JSON_TARGETS[service];
    const headers = { 'content-type': contentType, 'x-amz-target': `${prefix}.${operation}` };
    const body = Buffer.from(JSON.stringify(input));
    const answer = await this.#send(service, 'POST', '/', headers, body, signal);
    const parsed: unknown = answer.body.length === 0 ? {} : JSON.parse(answer.body.toString('utf8'));
    if (answer.status < 300) return parsed;
    const { __type: type, message } = { __type: 'Unknown', message: '', ...(parsed as object) };
    throw new PlatformCallFailed(
      operation,
      answer.status,
      String(type).split('#').at(-1) ?? '',
      String(message),
    );
  }

  /** Calls an SNS operation (query protocol). @returns the XML answer @throws PlatformCallFailed */
  async sns(operation: string, parameters: Record<string, string>): Promise<string> {
    const form = new URLSearchParams({ Action: operation, Version: '2010-03-31', ...parameters });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.#send('sns', 'POST', '/', headers, Buffer.from(form.toString()));
    const text = answer.body.toString('utf8');
    if (answer.status < 300) return text;
    throw new PlatformCallFailed(operation, answer.status, ...xmlError(text));
  }

  /** Makes a bucket if it is not there yet. @throws PlatformCallFailed */
  async createBucket(bucket: string): Promise<void> {
    const answer = await this.#send('s3', 'PUT', `/${bucket}`, {}, Buffer.alloc(0));
    if (answer.status < 300 || answer.status === 409) return;
    throw new PlatformCallFailed('CreateBucket', answer.status, ...xmlError(answer.body.toString('utf8')));
  }

  /** Puts an object. @throws PlatformCallFailed */
  async putObject(bucket: string, key: string, body: Buffer): Promise<void> {
    const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await this.#send('s3', 'PUT', path, headers, body);
    if (answer.status < 300) return;
    throw new PlatformCallFailed('PutObject', answer.status, ...xmlError(answer.body.toString('utf8')));
  }

  /** Gives up the kept connections. */
  close(): void {
    this.#agent.destroy();
  }

  #send(
    service: keyof PlatformEndpoints,
    method: string,
    path: string,
    headers: Record<string, string>,
    body: Buffer,
    signal?: AbortSignal,
  ): Promise<{ status: number; body: Buffer }> {
    const now = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
    const scope = `${this.#credentials.accessKeyId}/${now.slice(0, 8)}/${this.#region}/${service}/aws4_request`;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        new URL(path, this.#endpoints[service]),
        {
          method,
          agent: this.#agent,
          ...(signal === undefined ? {} : { signal }),
          headers: {
            ...headers,
            'content-length': body.length,
            'x-amz-date': now,
            authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=local`,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

function xmlError(xml: string): [errorCode: string, message: string] {
  return [
    /<Code>([^<]*)<\/Code>/.exec(xml)?.[1] ?? 'Unknown',
    /<Message>([^<]*)<\/Message>/.exec(xml)?.[1] ?? '',
  ];
}
