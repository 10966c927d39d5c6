import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from './aws-http.ts';

/** One value of a secret, with the stages that point at it. */
export const Version = z.strictObject({
  id: z.string(),
  text: z.string().optional(),
  binary: z.string().optional(),
  stages: z.array(z.string()),
  createdAtMs: z.number(),
});
export type Version = z.infer<typeof Version>;

/** How a secret rotates. */
export const Rotation = z.strictObject({
  functionArn: z.string(),
  everyDays: z.number().optional(),
  schedule: z.string().optional(),
  lastAtMs: z.number().optional(),
});
export type Rotation = z.infer<typeof Rotation>;

/** A secret as it is kept. */
export const Secret = z.strictObject({
  name: z.string(),
  arn: z.string(),
  description: z.string().optional(),
  createdAtMs: z.number(),
  changedAtMs: z.number().optional(),
  rotation: Rotation.optional(),
  versions: z.array(Version),
});
export type Secret = z.infer<typeof Secret>;

/** Adds a value, or gives it to a version that a rotation began. A repeated request does nothing. @throws AwsError */
export function putVersion(
  secret: Secret,
  input: { ClientRequestToken?: string; SecretString?: string; SecretBinary?: string },
  stages: readonly string[],
): Version {
  const { SecretString: text, SecretBinary: binary } = input;
  if ((text === undefined) === (binary === undefined)) {
    throw new AwsError('InvalidParameterException', 'Give exactly one of SecretString and SecretBinary.');
  }
  const id = input.ClientRequestToken ?? randomUUID();
  const known = secret.versions.find((version) => version.id === id);
  if (known !== undefined && hasValue(known)) {
    // A repeated request is no new version; the same token for other content is a mistake.
    if (known.text === text && known.binary === binary) return known;
    const message = `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`;
    throw new AwsError('ResourceExistsException', message);
  }
  const version = known ?? addVersion(secret, id);
  if (text !== undefined) version.text = text;
  if (binary !== undefined) version.binary = binary;
  secret.changedAtMs = Date.now();
  for (const stage of stages) placeStage(secret, stage, version);
  return version;
}

/** Whether a version has a value; one that a rotation has only begun has none. */
export function hasValue({ text, binary }: Version): boolean {
  return text !== undefined || binary !== undefined;
}

/** A version without a value, and without a stage so far. */
export function addVersion(secret: Secret, id: string): Version {
  const version: Version = { id, stages: [], createdAtMs: Date.now() };
  secret.versions.push(version);
  return version;
}

/** The version that a stage stands at. */
export function holderOf(secret: Secret, stage: string): Version | undefined {
  return secret.versions.find(({ stages }) => stages.includes(stage));
}

/** Moves a stage by `UpdateSecretVersionStage`. @throws AwsError */
export function moveStage(
  secret: Secret,
  stage: string,
  toId: string | undefined,
  fromId: string | undefined,
): void {
  const holder = holderOf(secret, stage);
  if (holder !== undefined && holder.id !== fromId && (holder.id !== toId || fromId !== undefined)) {
    const empty = fromId === undefined ? "The parameter RemoveFromVersionId can't be empty. " : '';
    const message = `Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`;
    throw new AwsError('InvalidParameterException', `${empty}${message}`);
  }
  if (holder === undefined && fromId !== undefined) {
    const message = `The staging label ${stage} isn't attached to version ${fromId}.`;
    throw new AwsError('InvalidParameterException', message);
  }
  if (toId === undefined) {
    if (stage === 'AWSCURRENT') {
      const message =
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.";
      throw new AwsError('InvalidParameterException', message);
    }
    if (holder !== undefined) holder.stages = holder.stages.filter((each) => each !== stage);
    return;
  }
  const target = secret.versions.find(({ id }) => id === toId);
  if (target === undefined) throw new AwsError('ResourceNotFoundException', `There is no version ${toId}.`);
  placeStage(secret, stage, target);
}

/** Puts a stage on a version, wherever it stood. */
export function placeStage(secret: Secret, stage: string, target: Version): void {
  const holder = holderOf(secret, stage);
  if (holder === target) return;
  if (holder !== undefined) holder.stages = holder.stages.filter((each) => each !== stage);
  target.stages = [...target.stages, stage];
  if (stage === 'AWSCURRENT' && holder !== undefined) placeStage(secret, 'AWSPREVIOUS', holder);
}
