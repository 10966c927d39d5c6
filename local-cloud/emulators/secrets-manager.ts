import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AwsError, startAwsServer } from './aws-http.ts';
import type { EmulatorOptions, Operation, RunningEmulator } from './aws-http.ts';
import { writeDurably } from './durable-file.ts';
import { describeRotation, RotateInput, SecretRotations, type RotationFunctions } from './secret-rotation.ts';
import { hasValue, moveStage, putVersion, Secret } from './secret-versions.ts';

/** @see startSecretsManager */
export interface SecretsManagerOptions extends EmulatorOptions {
  region: string;
  accountId: string;
  /** Folder of the file that keeps the secrets (mode 0600); in memory without. */
  dataDir?: string;
  /** What rotates secrets; without, none does. */
  functions?: RotationFunctions;
}

/** @see startSecretsManager */
export interface RunningSecretsManager extends RunningEmulator {
  /** Rotations that run now. */
  rotating: () => number;
}

const Text = z.string().min(1);
const Value = { SecretString: Text.optional(), SecretBinary: Text.optional() };
const Create = z.object({
  Name: Text,
  Description: z.string().optional(),
  ClientRequestToken: Text.optional(),
  ...Value,
});
const Put = z.object({
  SecretId: Text,
  ClientRequestToken: Text.optional(),
  VersionStages: z.array(Text).optional(),
  ...Value,
});
const Get = z.object({ SecretId: Text, VersionId: Text.optional(), VersionStage: Text.optional() });
const Move = z.object({
  SecretId: Text,
  VersionStage: Text,
  MoveToVersionId: Text.optional(),
  RemoveFromVersionId: Text.optional(),
});
const Describe = z.object({ SecretId: Text });

/**
 * The ARN that a secret of this name has here. As in AWS it ends in six characters that the name does not
 * give away; here they are a hash, so that the ARN is the same at every start.
 */
export function secretArn(region: string, accountId: string, name: string): string {
  const suffix = createHash('sha256')
    .update(name)
    .digest('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 6);
  return `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${suffix}`;
}

/**
 * Secrets Manager (JSON protocol): create, get, put, move a stage, describe, rotate. Stages move as in AWS: a new
 * `AWSCURRENT` leaves the old one as `AWSPREVIOUS`.
 * @throws PortInUse
 */
export async function startSecretsManager(options: SecretsManagerOptions): Promise<RunningSecretsManager> {
  const file = options.dataDir === undefined ? undefined : join(options.dataDir, 'secrets.json');
  const secrets = file === undefined ? new Map<string, Secret>() : load(file);
  let saving = Promise.resolve();

  async function save(): Promise<void> {
    if (file === undefined) return;
    const write = saving.then(() => writeDurably(file, JSON.stringify([...secrets.values()]), 0o600));
    saving = write.catch(() => undefined);
    await write;
  }

  const rotations = new SecretRotations(options.functions, save);

  function find(id: string): Secret {
    const secret =
      secrets.get(id) ?? [...secrets.values()].find(({ arn }) => arn === id || isPartialArn(arn, id));
    if (secret !== undefined) return secret;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  const operations: Record<string, Operation<Record<string, unknown>, object>> = {
    CreateSecret: async (raw) => {
      const input = parse(Create, raw);
      if (secrets.has(input.Name)) {
        throw new AwsError('ResourceExistsException', `The secret ${input.Name} already exists.`);
      }
      const secret: Secret = {
        name: input.Name,
        arn: secretArn(options.region, options.accountId, input.Name),
        ...(input.Description === undefined ? {} : { description: input.Description }),
        createdAtMs: Date.now(),
        versions: [],
      };
      const hasValue = input.SecretString !== undefined || input.SecretBinary !== undefined;
      const version = hasValue ? putVersion(secret, input, ['AWSCURRENT']) : undefined;
      secrets.set(secret.name, secret);
      await save();
      return {
        ARN: secret.arn,
        Name: secret.name,
        ...(version === undefined ? {} : { VersionId: version.id }),
      };
    },
    PutSecretValue: async (raw) => {
      const input = parse(Put, raw);
      const secret = find(input.SecretId);
      const version = putVersion(secret, input, input.VersionStages ?? ['AWSCURRENT']);
      await save();
      return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: version.stages };
    },
    GetSecretValue: (raw) => {
      const input = parse(Get, raw);
      const secret = find(input.SecretId);
      const stage = input.VersionStage ?? (input.VersionId === undefined ? 'AWSCURRENT' : undefined);
      const named = secret.versions.filter(
        ({ id }) => input.VersionId === undefined || id === input.VersionId,
      );
      const version = named.find(({ stages }) => stage === undefined || stages.includes(stage));
      if (version === undefined && input.VersionId !== undefined && named.length > 0) {
        const message = 'You provided a VersionStage that is not associated to the provided VersionId.';
        throw new AwsError('InvalidRequestException', message);
      }
      if (version === undefined || !hasValue(version)) {
        const wanted =
          input.VersionId === undefined ? `staging label: ${stage}` : `VersionId: ${input.VersionId}`;
        const message = `Secrets Manager can't find the specified secret value for ${wanted}`;
        throw new AwsError('ResourceNotFoundException', message);
      }
      return {
        ARN: secret.arn,
        Name: secret.name,
        VersionId: version.id,
        VersionStages: version.stages,
        CreatedDate: version.createdAtMs / 1000,
        ...(version.text === undefined ? {} : { SecretString: version.text }),
        ...(version.binary === undefined ? {} : { SecretBinary: version.binary }),
      };
    },
    UpdateSecretVersionStage: async (raw) => {
      const input = parse(Move, raw);
      const secret = find(input.SecretId);
      moveStage(secret, input.VersionStage, input.MoveToVersionId, input.RemoveFromVersionId);
      await save();
      return { ARN: secret.arn, Name: secret.name };
    },
    RotateSecret: (raw) => {
      const input = parse(RotateInput, raw);
      return rotations.rotate(find(input.SecretId), input);
    },
    DescribeSecret: (raw) => {
      const secret = find(parse(Describe, raw).SecretId);
      return {
        ARN: secret.arn,
        Name: secret.name,
        ...(secret.description === undefined ? {} : { Description: secret.description }),
        CreatedDate: secret.createdAtMs / 1000,
        LastChangedDate: (secret.changedAtMs ?? secret.createdAtMs) / 1000,
        ...describeRotation(secret),
        VersionIdsToStages: Object.fromEntries(
          secret.versions.filter(({ stages }) => stages.length > 0).map(({ id, stages }) => [id, stages]),
        ),
      };
    },
  };
  const running = await startAwsServer(
    { service: 'secretsmanager', bodyLimitBytes: 1024 * 1024, json: operations },
    options,
  );
  return { ...running, rotating: () => rotations.running };
}

/** AWS takes an ARN without its six last characters too. */
function isPartialArn(arn: string, id: string): boolean {
  return arn.length === id.length + 7 && arn.startsWith(`${id}-`);
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AwsError('ValidationException', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}

function load(file: string): Map<string, Secret> {
  mkdirSync(join(file, '..'), { recursive: true });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw error;
  }
  return new Map(
    z
      .array(Secret)
      .parse(JSON.parse(text))
      .map((secret) => [secret.name, secret]),
  );
}
