import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { EmployeeConfig } from '../config.ts';

/** The built-in mail server's name; no server of the owner may take it. */
export const EMAIL_SERVER = 'email';

/** Variables as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How a tool server is started. `env` is all that it will see of the environment. */
export interface ServerSettings {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
}

/** The owner's servers, in the usual `mcpServers` shape. Only servers over stdio. */
export const McpServers = z.record(
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a server name is letters, digits, dot, dash and underscore')
    .refine((name) => name !== EMAIL_SERVER, 'the name "email" belongs to the built-in server'),
  z.strictObject({
    type: z.literal('stdio', 'only servers over stdio are supported').optional(),
    command: z.string().min(1),
    args: z.array(z.string()).default([]),
    env: z.record(z.string().min(1), z.string()).default({}),
    cwd: z.string().min(1).optional(),
  }),
);
export type McpServers = z.infer<typeof McpServers>;

/** What any program needs to run at all. No key, no token, no address of a service is among it. */
const BASIC = [
  'PATH',
  'HOME',
  'LANG',
  'TMPDIR',
  'USER',
  'SystemRoot',
  'USERPROFILE',
  'APPDATA',
  'TEMP',
  'PATHEXT',
];

/** Where the SDK finds credentials, and what reaching AWS from this machine may need. */
const AWS = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CA_BUNDLE',
  'NODE_EXTRA_CA_CERTS',
];

/** @see emailServer */
export type EmailServerConfig = Pick<EmployeeConfig, 'region' | 'endpoints' | 'credentials' | 'profile'>;

/**
 * The built-in mail server. Keys that stand in the config (a local cloud's) are the only ones it gets then:
 * a profile of the person's shell must never be what a trial run sends with.
 */
export function emailServer(config: EmailServerConfig, env: Environment): ServerSettings {
  const { credentials, endpoints, profile, region } = config;
  const identity = credentials
    ? { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey }
    : profile === undefined
      ? pick(env, AWS)
      : {
          ...pick(
            env,
            AWS.filter((name) => !/KEY|SESSION_TOKEN/.test(name)),
          ),
          AWS_PROFILE: profile,
        };
  return {
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('./email-server.ts', import.meta.url)),
    ],
    env: {
      ...pick(env, BASIC),
      ...identity,
      AWS_REGION: region,
      ...(endpoints === undefined ? {} : { AWS_ENDPOINT_URL_SES: endpoints.ses }),
    },
  };
}

/** The owner's servers with what any program needs and, over it, what the owner gives them. */
export function ownersServers(
  servers: z.input<typeof McpServers>,
  env: Environment,
): Map<string, ServerSettings> {
  const parsed = Object.entries(McpServers.parse(servers));
  return new Map(
    parsed.map(([name, server]) => [name, { ...server, env: { ...pick(env, BASIC), ...server.env } }]),
  );
}

function pick(env: Environment, names: readonly string[]): Record<string, string> {
  const found = names.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}
