import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { EmployeeError } from '#protocol/errors.ts';
import { WriterName } from '#protocol/ids.ts';
import { PublicKey } from '#protocol/signing.ts';
import { GitSettings } from './git/git-settings.ts';

const Endpoint = z.url();
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

const Endpoints = z.strictObject({
  dynamodb: Endpoint,
  s3: Endpoint,
  sqs: Endpoint,
  ses: Endpoint,
  secretsmanager: Endpoint,
  sts: Endpoint,
});

/** What the stacks made: names of resources and the addresses they were set up with. */
export const StackOutputs = z.strictObject({
  tasksTable: z.string().min(1),
  ledgerTable: z.string().min(1),
  vaultBucket: z.string().min(1),
  /** Copies of the ledger that nobody can take back; `verify` compares with them. */
  archiveBucket: z.string().min(1).optional(),
  vaultSecretArn: z.string().min(1),
  fromAddress: z.string().min(3),
  ownAddresses: z.array(z.string().min(3)).min(1),
});
export type StackOutputs = z.infer<typeof StackOutputs>;

/** `employee.json`: which vault, which stack, which machine this is. Holds no secret of the vault. */
export const EmployeeConfig = z
  .strictObject({
    version: z.literal(1),
    vaultId: z.string().min(1).max(100),
    /** This machine's name in the ledger, in claims and in `In_Progress/`. */
    agent: WriterName.refine((name) => name !== 'cloud', 'the name "cloud" belongs to the cloud zone'),
    approver: z.string().min(1).max(100),
    vault: z.string().min(1),
    region: z.string().min(1),
    stack: StackOutputs,
    /** The key that signed the first entry of the ledger. */
    root: PublicKey,
    pollMs: z.int().min(100).max(3_600_000).default(10_000),
    deskPort: z.int().min(0).max(65_535).default(0),
    /** Only for the local cloud: services on loopback and credentials that mean nothing elsewhere. */
    endpoints: Endpoints.optional(),
    credentials: z.strictObject({ accessKeyId: z.string(), secretAccessKey: z.string() }).optional(),
    /** The vault's history and where it is pushed. @default a history of its own, pushed nowhere */
    git: GitSettings.optional(),
    /** @default the SDK's own chain (environment, shared profile, process) */
    profile: z.string().optional(),
  })
  .refine((config) => !config.credentials || isLoopback(config.endpoints), {
    message: 'keys may stand in the config of a local cloud only; use "profile" for a real account',
    path: ['credentials'],
  });
export type EmployeeConfig = z.infer<typeof EmployeeConfig>;

/** The config is missing or broken. The message says where and what to do. */
export class ConfigError extends EmployeeError {
  static override readonly code = 'CONFIG';
}

/**
 * Reads and checks a config file; a relative vault path is relative to the file.
 *
 * @throws {ConfigError}
 */
export async function readConfig(file: string): Promise<EmployeeConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(
      `there is no config at ${file}: run "employee init", or name one with --config or EMPLOYEE_CONFIG`,
      { cause },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = EmployeeConfig.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') || 'the file';
    throw new ConfigError(
      `${file}: ${where}: ${issue?.message ?? 'invalid'}; mend it or run "employee init" again`,
    );
  }
  return { ...parsed.data, vault: path.resolve(path.dirname(file), parsed.data.vault) };
}

function isLoopback(endpoints: z.infer<typeof Endpoints> | undefined): boolean {
  return (
    endpoints !== undefined && Object.values(endpoints).every((url) => LOOPBACK.has(new URL(url).hostname))
  );
}
