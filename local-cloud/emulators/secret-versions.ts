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

/** A secret as it is kept. */
export const Secret = z.strictObject({
  name: z.string(),
  arn: z.string(),
  description: z.string().optional(),
  createdAtMs: z.number(),
  versions: z.array(Version),
});
export type Secret = z.infer<typeof Secret>;

/** Adds a value. A repeated request is no new version. @throws AwsError */
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
  if (known !== undefined) {
    // A repeated request is no new version; the same token for other content is a mistake.
    if (known.text === text && known.binary === binary) return known;
    throw new AwsError('ResourceExistsException', `The version ${id} already exists with other content.`);
  }
  const version: Version = {
    id,
    stages: [],
    createdAtMs: Date.now(),
    ...(text === undefined ? {} : { text }),
    ...(binary === undefined ? {} : { binary }),
  };
  secret.versions.push(version);
  for (const stage of stages) placeStage(secret, stage, version);
  return version;
}

/** Moves a stage by `UpdateSecretVersionStage`. @throws AwsError */
export function moveStage(
  secret: Secret,
  stage: string,
  toId: string | undefined,
  fromId: string | undefined,
): void {
  const holder = secret.versions.find(({ stages }) => stages.includes(stage));
  if (holder !== undefined && holder.id !== fromId && holder.id !== toId) {
    const message = `The stage ${stage} is attached to ${holder.id}; name it in RemoveFromVersionId.`;
    throw new AwsError('InvalidParameterException', message);
  }
  if (toId === undefined) {
    if (holder !== undefined) holder.stages = holder.stages.filter((each) => each !== stage);
    return;
  }
  const target = secret.versions.find(({ id }) => id === toId);
  if (target === undefined) throw new AwsError('ResourceNotFoundException', `There is no version ${toId}.`);
  placeStage(secret, stage, target);
}

function placeStage(secret: Secret, stage: string, target: Version): void {
  const holder = secret.versions.find(({ stages }) => stages.includes(stage));
  if (holder === target) return;
  if (holder !== undefined) holder.stages = holder.stages.filter((each) => each !== stage);
  target.stages = [...target.stages, stage];
  if (stage === 'AWSCURRENT' && holder !== undefined) placeStage(secret, 'AWSPREVIOUS', holder);
}
