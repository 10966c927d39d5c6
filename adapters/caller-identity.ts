import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';

/** Who AWS says we are, and what its clock says. */
export interface CallerIdentity {
  readonly arn: string;
  readonly account: string;
  /** The service's own time as it answered (HTTP `Date`), ISO-8601 UTC; whole seconds. */
  readonly serviceTime: string | undefined;
}

/** Asks STS who these credentials belong to; needs no permission (`sts:GetCallerIdentity`). */
export async function callerIdentity(client: STSClient): Promise<CallerIdentity> {
  const command = new GetCallerIdentityCommand();
  let date: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      date = dateHeader(result.response);
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
  const { Arn, Account } = await client.send(command);
  const at = Date.parse(date ?? '');
  return {
    arn: Arn ?? 'unknown',
    account: Account ?? 'unknown',
    serviceTime: Number.isNaN(at) ? undefined : new Date(at).toISOString(),
  };
}

function dateHeader(response: unknown): string | undefined {
  const { headers } = (response ?? {}) as { headers?: Record<string, string> };
  return headers?.['date'] ?? headers?.['Date'];
}
