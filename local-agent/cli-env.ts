import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';

const Text = z
  .string()
  .optional()
  .transform((value) => (value === '' ? undefined : value));

const Variables = z.object({
  EMPLOYEE_CONFIG: Text,
  EMPLOYEE_VAULT: Text,
  EMPLOYEE_DEBUG: Text,
  NO_COLOR: Text,
  XDG_CONFIG_HOME: Text,
  AWS_PROFILE: Text,
  AWS_ENDPOINT_URL: Text,
  AWS_ENDPOINT_URL_CLOUDFORMATION: Text,
});

/** What the command line takes from its environment. */
export interface CliEnv {
  readonly config: string | undefined;
  readonly vault: string | undefined;
  /** Show stack traces. */
  readonly debug: boolean;
  readonly noColour: boolean;
  /** Absolute; the XDG base directory for configuration. */
  readonly configHome: string;
  readonly awsProfile: string | undefined;
  /** Where CloudFormation is, by the SDK's own variables. @default AWS's own address */
  readonly cloudFormationEndpoint: string | undefined;
}

/** Reads the environment once. An empty variable counts as unset. */
export function readCliEnv(variables: Readonly<Record<string, string | undefined>>): CliEnv {
  const env = Variables.parse(variables);
  // The XDG specification has a relative path ignored.
  const xdg =
    env.XDG_CONFIG_HOME !== undefined && path.isAbsolute(env.XDG_CONFIG_HOME)
      ? env.XDG_CONFIG_HOME
      : undefined;
  return {
    config: env.EMPLOYEE_CONFIG,
    vault: env.EMPLOYEE_VAULT,
    debug: env.EMPLOYEE_DEBUG !== undefined && env.EMPLOYEE_DEBUG !== '0',
    noColour: env.NO_COLOR !== undefined,
    configHome: xdg ?? path.join(os.homedir(), '.config'),
    awsProfile: env.AWS_PROFILE,
    cloudFormationEndpoint: env.AWS_ENDPOINT_URL_CLOUDFORMATION ?? env.AWS_ENDPOINT_URL,
  };
}
