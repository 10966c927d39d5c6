import type { STSClient } from '@aws-sdk/client-sts';

/** What can be said of the credentials that a client works with, without any of them. */
export interface CredentialFacts {
  /** Of an IAM user or the root of the account: they work until somebody takes them away. */
  readonly longLived: boolean;
  /** When a session ends, ISO-8601 UTC; undefined where the credentials do not say. */
  readonly endsAt: string | undefined;
}

/** Looks at the credentials that the client would sign its next call with. */
export async function credentialFacts(client: STSClient): Promise<CredentialFacts> {
  const { accessKeyId, sessionToken, expiration } = await client.config.credentials();
  return {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    longLived: accessKeyId.startsWith('AKIA') || sessionToken === undefined,
    endsAt: expiration?.toISOString(),
  };
}
