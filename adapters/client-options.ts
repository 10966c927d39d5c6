/** Services that this project calls. */
export type AwsServiceName = 'dynamodb' | 's3' | 'sqs' | 'ses' | 'secretsmanager' | 'sts';

/**
 * Where and as whom to call AWS. Left out, the SDK takes each from its standard variables
 * (`AWS_REGION`, `AWS_ENDPOINT_URL_*`, the credential chain), as a function in Lambda does.
 */
export interface AwsOptions {
  readonly region?: string;
  readonly endpoints?: Readonly<Partial<Record<AwsServiceName, string>>>;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** A profile of the shared AWS config files. */
  readonly profile?: string;
}

/** What every client here is made with. */
export interface ClientConfig {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly profile?: string;
  /** Who calls, as the audit log of the account (CloudTrail) shows it. */
  readonly defaultUserAgentProvider: () => Promise<[string, string][]>;
  readonly maxAttempts: number;
  readonly retryMode: 'standard';
  readonly requestHandler: {
    connectionTimeout: number;
    requestTimeout: number;
    throwOnRequestTimeout: boolean;
  };
}

/**
 * The settings of one service's client: up to 4 attempts with exponential back-off and full jitter (the SDK's
 * `standard` mode), 2 s to connect, 10 s for an answer.
 */
export function clientConfig(service: AwsServiceName, options: AwsOptions = {}): ClientConfig {
  const endpoint = options.endpoints?.[service];
  return {
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: { ...options.credentials } }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    // A line about this machine's system with each call is nobody's business, and a quarter of a small one.
    defaultUserAgentProvider: () => Promise.resolve([['ai-employee', '1']]),
    maxAttempts: 4,
    retryMode: 'standard',
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  };
}

/** Where in a client's stack {@link uncounted} belongs: the signature covers what is left. */
export const BEFORE_SIGNING = {
  name: 'uncountedMiddleware',
  relation: 'before',
  toMiddleware: 'httpSigningMiddleware',
} as const;

/**
 * Takes from each request the two headers in which the SDK numbers calls and attempts for AWS's statistics: with their
 * part of the signed list they are 130 bytes, a tenth of a small call.
 */
export function uncounted<Args extends { readonly request: unknown }, Result>(
  next: (args: Args) => Promise<Result>,
): (args: Args) => Promise<Result> {
  return (args) => {
    const { headers } = args.request as { headers: Record<string, string> };
    delete headers['amz-sdk-invocation-id'];
    delete headers['amz-sdk-request'];
    return next(args);
  };
}
