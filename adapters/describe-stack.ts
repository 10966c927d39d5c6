import { createStsClient } from './sts-client.ts';
import type { AwsOptions } from './client-options.ts';

/** A stack as CloudFormation describes it. */
export interface DescribedStack {
  readonly name: string;
  /** Such as `CREATE_COMPLETE`. */
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** CloudFormation refused; `name` is the code that it answered, as with the SDK's own errors. */
export class StackQueryError extends Error {
  constructor(code: string, message: string) {
    super(message);
    this.name = code;
  }
}

const TIMEOUT_MS = 10_000;

/**
 * Describes one stack (`DescribeStacks` of CloudFormation's query API), as whoever `options` name: profile, or the
 * SDK's chain. One call needs no client of its own: the SDK's signer comes with the one of STS.
 *
 * @param options.endpoint in place of AWS's own, for tests
 * @returns undefined when this account has no such stack in this region
 * @throws {StackQueryError}
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
 */
export async function describeStack(
  stackName: string,
  options: Pick<AwsOptions, 'profile'> & { readonly region: string; readonly endpoint?: string },
): Promise<DescribedStack | undefined> {
  const { region } = options;
  const url = new URL(options.endpoint ?? `https://cloudformation.${region}.amazonaws.com`);
  const body = new URLSearchParams({
    Action: 'DescribeStacks',
    Version: '2010-05-15',
    StackName: stackName,
  }).toString();
  const response = await fetch(url, {
    method: 'POST',
    headers: await signedHeaders(url, body, options),
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const xml = await response.text();
  if (response.ok) return stackOf(xml, stackName);
  const message = textOf(xml, 'Message') ?? `HTTP status ${response.status}`;
  const code = textOf(xml, 'Code') ?? 'UnknownError';
  if (code === 'ValidationError' && /does not exist/.test(message)) return undefined;
  throw new StackQueryError(code, message);
}

async function signedHeaders(
  url: URL,
  body: string,
  options: Pick<AwsOptions, 'profile'> & { readonly region: string },
): Promise<Record<string, string>> {
  const client = createStsClient(options);
  try {
    const signer = await client.config.signer({
      name: 'sigv4',
      signingName: 'cloudformation',
      signingRegion: options.region,
      properties: {},
    });
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body,
    });
    // `fetch` writes the host itself, and the same.
    const { host: _host, ...rest } = headers;
    return rest;
  } finally {
    client.destroy();
  }
}

function stackOf(xml: string, name: string): DescribedStack {
  const status = textOf(xml, 'StackStatus');
  if (status === undefined) {
    throw new StackQueryError('UnknownAnswer', `what CloudFormation says of ${name} cannot be read`);
  }
  const [, list = ''] = /<Outputs>(.*)<\/Outputs>/s.exec(xml) ?? [];
  const outputs = [...list.matchAll(/<member>(.*?)<\/member>/gs)].map(
    ([, member = '']) => [textOf(member, 'OutputKey') ?? '', textOf(member, 'OutputValue') ?? ''] as const,
  );
  return { name, status, outputs: Object.fromEntries(outputs) };
}

/** The text of the first element of a name; the answers have neither attributes nor markup where we look. */
function textOf(xml: string, element: string): string | undefined {
  const [, escaped] = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml) ?? [];
  return escaped?.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name: string) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(String(hex), 16));
    return ENTITIES[name] ?? whole;
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
