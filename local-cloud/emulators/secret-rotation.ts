import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from './aws-http.ts';
import { addVersion, holderOf, placeStage, type Secret } from './secret-versions.ts';

/** What Secrets Manager hands to a rotation function. */
export interface RotationEvent {
  SecretId: string;
  ClientRequestToken: string;
  Step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
}

/** The functions that rotate. */
export interface RotationFunctions {
  /** Whether the function's own policy lets Secrets Manager call it for that secret. */
  mayInvoke(functionArn: string, secretArn: string): boolean;
  /** Runs one step. @throws when the function fails */
  invoke(functionArn: string, event: RotationEvent): Promise<unknown>;
}

/** Input of `RotateSecret`, as far as it has a meaning here. */
export const RotateInput = z.object({
  SecretId: z.string().min(1),
  ClientRequestToken: z.string().min(32).max(64).optional(),
  RotationLambdaARN: z.string().min(1).optional(),
  RotationRules: z
    .object({
      AutomaticallyAfterDays: z.int().min(1).max(1000).optional(),
      ScheduleExpression: z.string().optional(),
    })
    .optional(),
  RotateImmediately: z.boolean().default(true),
});

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/**
 * Rotates secrets as AWS does: a version without a value gets `AWSPENDING`, then the function is called for each of
 * the four steps, while `RotateSecret` has long answered. A step that fails ends it, and leaves `AWSPENDING` where it
 * is; here nothing is tried again until it is asked for. No clock of its own: what is due is not begun by itself. With
 * `RotateImmediately: false` the function is not tried out.
 */
export class SecretRotations {
  readonly #functions: RotationFunctions | undefined;
  readonly #save: () => Promise<void>;
  readonly #running = new Set<string>();

  constructor(functions: RotationFunctions | undefined, save: () => Promise<void>) {
    this.#functions = functions;
    this.#save = save;
  }

  /** Rotations that run now. */
  get running(): number {
    return this.#running.size;
  }

  /** `RotateSecret`. @throws AwsError */
  async rotate(secret: Secret, input: z.infer<typeof RotateInput>): Promise<object> {
    const functionArn = input.RotationLambdaARN ?? secret.rotation?.functionArn;
    if (functionArn === undefined) {
      const message = 'No Lambda rotation function ARN is associated with this secret.';
      throw new AwsError('InvalidRequestException', message);
    }
    if (this.#functions?.mayInvoke(functionArn, secret.arn) !== true) {
      const message =
        'Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.';
      throw new AwsError('AccessDeniedException', message);
    }
    const { AutomaticallyAfterDays: everyDays, ScheduleExpression: schedule } = input.RotationRules ?? {};
    secret.rotation = {
      ...secret.rotation,
      functionArn,
      ...(everyDays === undefined ? {} : { everyDays }),
      ...(schedule === undefined ? {} : { schedule }),
    };
    const answer = { ARN: secret.arn, Name: secret.name };
    if (!input.RotateImmediately) {
      await this.#save();
      return answer;
    }
    const token = input.ClientRequestToken ?? randomUUID();
    const pending = holderOf(secret, 'AWSPENDING');
    if (pending?.id === token) return { ...answer, VersionId: token };
    if (pending !== undefined && !pending.stages.includes('AWSCURRENT')) {
      this.#begin(secret, functionArn, pending.id);
      const message = "A previous rotation isn't complete. That rotation will be reattempted.";
      throw new AwsError('InvalidRequestException', message);
    }
    if (secret.versions.some(({ id }) => id === token)) {
      const message = `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`;
      throw new AwsError('ResourceExistsException', message);
    }
    placeStage(secret, 'AWSPENDING', addVersion(secret, token));
    await this.#save();
    this.#begin(secret, functionArn, token);
    return { ...answer, VersionId: token };
  }

  #begin(secret: Secret, functionArn: string, token: string): void {
    if (this.#running.has(secret.arn)) return;
    this.#running.add(secret.arn);
    const run = async (): Promise<void> => {
      for (const Step of STEPS) {
        const event: RotationEvent = { SecretId: secret.arn, ClientRequestToken: token, Step };
        await this.#functions?.invoke(functionArn, event);
      }
      const pending = holderOf(secret, 'AWSPENDING');
      const isDone = pending === undefined || pending.stages.includes('AWSCURRENT');
      if (isDone && secret.rotation !== undefined) secret.rotation.lastAtMs = Date.now();
      await this.#save();
    };
    run()
      // The function's own log has it; AWS tells it to its trail and to nobody else.
      .catch(() => undefined)
      .finally(() => this.#running.delete(secret.arn));
  }
}

const DAY_MS = 86_400_000;

/** What `DescribeSecret` says of a secret's rotation. */
export function describeRotation({ rotation }: Secret): object {
  if (rotation === undefined) return { RotationEnabled: false };
  const { functionArn, everyDays, schedule, lastAtMs } = rotation;
  return {
    RotationEnabled: true,
    RotationLambdaARN: functionArn,
    RotationRules: {
      ...(everyDays === undefined ? {} : { AutomaticallyAfterDays: everyDays }),
      ...(schedule === undefined ? {} : { ScheduleExpression: schedule }),
    },
    ...(lastAtMs === undefined ? {} : { LastRotatedDate: lastAtMs / 1000 }),
    ...(everyDays === undefined
      ? {}
      : { NextRotationDate: ((lastAtMs ?? Date.now()) + everyDays * DAY_MS) / 1000 }),
  };
}
