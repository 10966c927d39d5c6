import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Makes replies of DynamoDB get lost on the way. */
export interface LostReplies {
  /** The reply of the next request that succeeds never arrives; the SDK sees a broken connection. */
  loseNext(): void;
  /** The replies of all requests until further notice. */
  loseAll(on: boolean): void;
  /** Requests that reached the service, retries included. */
  readonly requests: string[];
}

/** Puts the fault into a client, below the SDK's own retries, as a cut connection would be. */
export function injectLostReplies(client: DynamoDBClient): LostReplies {
  const requests: string[] = [];
  let losing = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      requests.push(String(context.commandName));
      const result = await next(args);
      if (losing > 0) {
        losing -= 1;
        throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET' });
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'lostReplies' },
  );
  return {
    requests,
    loseNext: () => {
      losing = 1;
    },
    loseAll: (on) => {
      losing = on ? Number.POSITIVE_INFINITY : 0;
    },
  };
}
