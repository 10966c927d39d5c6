import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The services that the local cloud answers for. */
export type AwsService = 'dynamodb' | 's3' | 'sns' | 'sqs' | 'ses' | 'secretsmanager' | 'sts' | 'cloudwatch';

/** One call that reached an emulator, as it is kept in the log. `at` is ISO-8601 UTC. */
export interface AwsCall {
  service: AwsService;
  operation: string;
  /** From the Authorization header's credential scope; `anonymous` without one. */
  accessKeyId: string;
  region: string;
  at: string;
  requestId: string;
  denied?: true;
}

/** A call before it is answered: what a policy decides on. */
export interface AttemptedCall extends AwsCall {
  /**
   * The parsed request: JSON body, query parameters, or for S3 `Bucket` and `Key`, with `Prefix` where one is listed,
   * `Keys` where several are deleted, and `Missing: true` where there is no such object to read.
   */
  input: Readonly<Record<string, unknown>>;
}

/** A policy's refusal; each emulator words it as its service does. */
export interface Denied {
  message: string;
}

/** Decides on one call before it is answered. Returns nothing to let it through. */
export type Intercept = (call: AttemptedCall) => Denied | undefined;

/** Narrows a look into the log; every field given has to match. */
export type CallFilter = Partial<Pick<AwsCall, 'service' | 'operation' | 'accessKeyId'>>;

const KEPT_CALLS = 100_000;
const CREDENTIAL = /Credential=([^/,\s]+)\/\d{8}\/([^/]+)\//;

/**
 * Every AWS call of one local cloud, in the order of arrival. All emulators go through
 * {@link CallLog.intercept}, so this is the one place where calls are counted and may be refused.
 * The newest 100,000 calls are kept, so that a long run stays flat in memory; totals are exact.
 *
 * @example
 * const before = cloud.calls.total({ accessKeyId });
 * await work();
 * expect(cloud.calls.total({ accessKeyId }) - before).toBe(9);
 */
export class CallLog {
  #calls: AwsCall[] = [];
  readonly #totals = new Map<string, { sample: AwsCall; count: number }>();
  readonly #policies: Intercept[] = [];

  /** @param policy asked about each call; a refused call is logged as denied. */
  constructor(policy?: Intercept) {
    if (policy !== undefined) this.add(policy);
  }

  /** Asks one more policy from now on, after those before it; the first refusal counts. */
  add(policy: Intercept): void {
    this.#policies.push(policy);
  }

  /** Logs a call and asks the policies. An arrow, so that it can be handed to emulators as it is. */
  readonly intercept: Intercept = (attempted) => {
    const denied = this.#ask(attempted);
    const { input: _input, ...call } = attempted;
    this.#keep(denied === undefined ? call : { ...call, denied: true });
    return denied;
  };

  /** The kept calls that match, oldest first. */
  list(filter: CallFilter = {}): AwsCall[] {
    return this.#calls.filter((call) => matches(call, filter));
  }

  /** How many matching calls were made since the start or the last {@link CallLog.clear}. */
  total(filter: CallFilter = {}): number {
    let total = 0;
    for (const { sample, count } of this.#totals.values()) if (matches(sample, filter)) total += count;
    return total;
  }

  /** Forgets everything, to count from here. */
  clear(): void {
    this.#calls = [];
    this.#totals.clear();
  }

  #ask(attempted: AttemptedCall): Denied | undefined {
    for (const policy of this.#policies) {
      const denied = policy(attempted);
      if (denied !== undefined) return denied;
    }
    return undefined;
  }

  #keep(call: AwsCall): void {
    this.#calls.push(call);
    // Cut in bulk: shifting one element for each call would be quadratic in a burst.
    if (this.#calls.length > KEPT_CALLS * 1.1) this.#calls = this.#calls.slice(-KEPT_CALLS);
    const key = `${call.service} ${call.operation} ${call.accessKeyId}`;
    const entry = this.#totals.get(key);
    if (entry === undefined) this.#totals.set(key, { sample: call, count: 1 });
    else entry.count += 1;
  }
}

/** Describes a request to an emulator: who calls (from the signature's scope), what, when. */
export function describeCall(
  service: AwsService,
  operation: string,
  headers: IncomingHttpHeaders,
  input: Readonly<Record<string, unknown>>,
): AttemptedCall {
  const scope = CREDENTIAL.exec(headers.authorization ?? '');
  return {
    service,
    operation,
    accessKeyId: scope?.[1] ?? 'anonymous',
    region: scope?.[2] ?? '',
    at: new Date().toISOString(),
    requestId: randomUUID(),
    input,
  };
}

function matches(call: AwsCall, filter: CallFilter): boolean {
  return (
    (filter.service === undefined || filter.service === call.service) &&
    (filter.operation === undefined || filter.operation === call.operation) &&
    (filter.accessKeyId === undefined || filter.accessKeyId === call.accessKeyId)
  );
}
