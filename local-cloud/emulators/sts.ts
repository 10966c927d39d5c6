import { escapeXml, startAwsServer, type EmulatorOptions, type RunningEmulator } from './aws-http.ts';

/** @see startSts */
export interface StsOptions extends EmulatorOptions {
  accountId: string;
  /** The ARN behind an access key id. */
  arnOf: (accessKeyId: string) => string;
}

/** STS (query protocol): `GetCallerIdentity`. @throws PortInUse */
export async function startSts(options: StsOptions): Promise<RunningEmulator> {
  // The caller is in the signature, which only the interception sees.
  let caller = 'anonymous';
  return startAwsServer(
    {
      service: 'sts',
      bodyLimitBytes: 64 * 1024,
      query: {
        namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
        operations: {
          GetCallerIdentity: () =>
            `<Arn>${escapeXml(options.arnOf(caller))}</Arn><UserId>${escapeXml(caller)}</UserId>` +
            `<Account>${escapeXml(options.accountId)}</Account>`,
        },
      },
    },
    {
      ...options,
      // Runs right before the operation, with no await in between.
      intercept: (call) => {
        caller = call.accessKeyId;
        return options.intercept(call);
      },
    },
  );
}
