import type { AwsClients } from '#adapters/aws-clients.ts';
import { createSecretVersions } from '#adapters/secret-versions.ts';
import { credentialFacts } from '#adapters/session-credentials.ts';
import type { CredentialFacts } from '#adapters/session-credentials.ts';
import type { SecretDescription } from '#protocol/ports.ts';
import type { EmployeeConfig } from './config.ts';
import type { Check } from './doctor-check.ts';
import { errorText } from './error-text.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The clocks of two machines. */
const SLACK_MS = 60_000;
/** AWS itself is done in a minute; what takes longer is stuck. */
const UNDER_WAY_MS = 15 * 60_000;
/** How much later than planned a rotation may come: AWS tries again for days. */
const LATE_DAYS = 7;

/** Checks whose credentials these are, for how long, and whether the cloud zone's key is renewed in time. */
export async function credentialChecks(
  clients: Pick<AwsClients, 'sts' | 'secrets'>,
  arn: string,
  { endpoints, stack }: EmployeeConfig,
): Promise<Check[]> {
  const local: Check = {
    name: 'credentials',
    ok: true,
    detail: 'of the local cloud, where no key is a secret',
  };
  return [
    endpoints ? local : sessionCheck(await credentialFacts(clients.sts), Date.now()),
    roleCheck(arn),
    await rotation(createSecretVersions(clients.secrets, stack.vaultSecretArn), stack.vaultSecretArn),
  ];
}

/** Credentials should be those of a session, of an hour at most. */
export function sessionCheck({ longLived, endsAt }: CredentialFacts, nowMs: number): Check {
  const name = 'credentials';
  const fix = 'work with the agent\'s role, as docs/deploy.md, "Set up the agent", shows';
  if (longLived) {
    return {
      name,
      ok: true,
      warning: true,
      detail: 'a long-lived key, which works until it is deleted',
      fix,
    };
  }
  if (endsAt === undefined) return { name, ok: true, detail: 'a session; it does not say until when' };
  const leftMs = Date.parse(endsAt) - nowMs;
  const detail = `a session until ${endsAt}`;
  if (leftMs <= HOUR_MS + SLACK_MS) return { name, ok: true, detail };
  return { name, ok: true, warning: true, detail: `${detail}, for more than an hour`, fix };
}

/** The agent's role may do what the agent needs; whatever else somebody signs in as may do more. */
export function roleCheck(arn: string): Check {
  const name = 'role';
  const [, role] = /:assumed-role\/([^/]+)\//.exec(arn) ?? [];
  if (role?.includes('AgentRole') === true) return { name, ok: true, detail: role };
  const detail = "not the agent's role: this machine works with all the rights of whoever is signed in";
  const fix = 'set the agent\'s profile up, as docs/deploy.md, "Set up the agent", shows';
  return { name, ok: true, warning: true, detail, fix };
}

/** The secret should rotate, in time, and to the end. */
export function rotationCheck(found: SecretDescription, secretArn: string, nowMs: number): Check {
  const name = 'key rotation';
  const problem = (detail: string, fix: string): Check => ({ name, ok: false, detail, fix });
  const again = `see the log of the function Rotate; then "aws secretsmanager rotate-secret --secret-id ${secretArn}", as the owner, takes it up again`;
  if (!found.rotationEnabled) {
    const fix = 'deploy the stacks again: they set it to rotate';
    return { name, ok: true, warning: true, detail: 'the secret does not rotate', fix };
  }
  const ageMs = (at: string): number => nowMs - Date.parse(at);
  const [pending] = [...found.stages.values()].filter((stages) => stages.includes('AWSPENDING'));
  if (pending?.includes('AWSCURRENT') === false) {
    const since = found.changedAt;
    if (since !== undefined && ageMs(since) < UNDER_WAY_MS) return { name, ok: true, detail: 'under way' };
    return problem('stuck: a new key waits as AWSPENDING', again);
  }
  const { lastRotatedAt, changedAt, rotateEveryDays = 30 } = found;
  const last = lastRotatedAt ?? changedAt;
  const detail = lastRotatedAt === undefined ? 'not rotated so far' : `last rotated ${lastRotatedAt}`;
  if (last !== undefined && ageMs(last) > (rotateEveryDays + LATE_DAYS) * DAY_MS) {
    return problem(`${detail}; it is to be every ${rotateEveryDays} days, and the key is older`, again);
  }
  return { name, ok: true, detail: `${detail}, every ${rotateEveryDays} days` };
}

async function rotation(
  versions: ReturnType<typeof createSecretVersions>,
  secretArn: string,
): Promise<Check> {
  const name = 'key rotation';
  try {
    return rotationCheck(await versions.describe(), secretArn, Date.now());
  } catch (error) {
    if (error instanceof Error && /AccessDenied/.test(error.name)) {
      const detail = `not for this machine to read; as the owner: aws secretsmanager describe-secret --secret-id ${secretArn}`;
      return { name, ok: true, detail };
    }
    const { message } = errorText(error);
    return { name, ok: false, detail: message, fix: 'check that the secret of the config exists' };
  }
}
