import { canonicalJson } from '#protocol/canonical.ts';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { jsonOf } from '#protocol/json-of.ts';
import type { SigningKey } from '#protocol/signing.ts';
import { RotationRefusedError } from './rotation-refused.ts';

/**
 * Reads the value of the secret; `placeholder` for the one that a deployment begins with.
 *
 * @throws {RotationRefusedError} naming what is wrong with it, and nothing of the value.
 */
export function readZoneSecret(text: string | undefined): CloudSecret | 'placeholder' {
  const json = jsonOf(text ?? '');
  const parsed = CloudSecret.safeParse(json);
  if (parsed.success) return parsed.data;
  if (typeof json === 'object' && json !== null && 'status' in json && json.status === 'placeholder') {
    return 'placeholder';
  }
  const members = [...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'all of it')))];
  throw new RotationRefusedError(
    `the secret is damaged (${members.join(', ')}): restore an earlier version of it, or run "employee init"`,
  );
}

/** Reads the value of a version that is to be `current` with another signing key; `undefined` if it is not. */
export function readSuccessor(text: string, current: CloudSecret): CloudSecret | undefined {
  const { data } = CloudSecret.safeParse(jsonOf(text));
  if (data === undefined || data.signing.publicKey === current.signing.publicKey) return undefined;
  return canonicalJson(successorOf(data, current.signing)) === canonicalJson(current) ? data : undefined;
}

/** The same secret with another signing key. */
export function successorOf(secret: CloudSecret, signing: SigningKey): CloudSecret {
  return { ...secret, signing };
}
