/** An access key, as the SDK takes it. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/**
 * The key of one caller of the local cloud: a function by its logical id, `agent`, `owner` or `platform`
 * (pollers and mail delivery). Deterministic, so that a log line or a test can name it, and different for
 * each caller, so that calls can be told apart and permissions be applied to them.
 *
 * @example credentialsOf('TriageFunction').accessKeyId // 'AKIALOCALTRIAGEFUNCTION'
 */
export function credentialsOf(caller: string): Credentials {
  const name = caller.toUpperCase().replace(/[^A-Z0-9]/g, '');
  // Never a secret: emulators on loopback do not check signatures.
  return { accessKeyId: `AKIALOCAL${name}`, secretAccessKey: `local-${name.toLowerCase()}` };
}
